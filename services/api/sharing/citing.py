"""A competition and an entry as works that one can cite: in BibTeX, and as a CITATION file (citation-file-format)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import yaml

from services.api.leaderboard.schemas import Entry
from services.api.sharing.card import Card
from services.api.sharing.shared import SharedOut
from services.core.models import Phase

__all__ = ["MEDIA_TYPES", "CitationFormat", "Work", "entry_work", "shared_work", "work_of", "written"]

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {one: f"\\{one}" for one in "{}$&%#_"}


class CitationFormat(StrEnum):
    BIBTEX = "bib"
    CITATION = "cff"


MEDIA_TYPES = {
    CitationFormat.BIBTEX: "application/x-bibtex; charset=utf-8",
    CitationFormat.CITATION: "application/yaml; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Work:
    """What one cites."""

    key: str
    kind: str  # of the citation file format: software or dataset
    title: str
    author: str
    made_at: datetime
    url: str
    note: str


def work_of(card: Card, slug: str, origin: str) -> Work:
    """Name a competition as a work of its owner."""
    return Work(
        key=f"lethe-{slug}",
        kind="dataset",
        title=card.title,
        author=card.author,
        made_at=card.created_at,
        url=origin + card.page,
        note="Competition in machine unlearning, held with Lethe",
    )


def entry_work(entry: Entry, phase: Phase, metric: str, origin: str) -> Work:
    """Name an entry as a work of its team."""
    slug = phase.competition.slug
    score, low, high = entry["final_score"], entry["ci_low"], entry["ci_high"]
    return Work(
        key=f"lethe-{slug}-{phase.slug}-{entry['entry']}",
        kind="software",
        title=f"{entry['submission']}: an entry of {phase.competition.title}",
        author=entry["entry"],
        made_at=entry["submitted_at"],
        url=f"{origin}/competitions/{slug}/leaderboard?phase={phase.slug}",
        note=f"Phase {phase.slug}, {metric} {score:.4f} (95% interval {low:.4f} to {high:.4f}, N = {entry['seeds']})",
    )


def shared_work(shown: SharedOut, origin: str) -> Work:
    """Name a shared submission as a work of its team."""
    standing = shown.standing
    interval = f"95% interval {shown.ci_low:.4f} to {shown.ci_high:.4f}, N = {shown.seeds}"
    return Work(
        key=f"lethe-{shown.competition}-{shown.team}-{shown.id.hex[:8]}",
        kind="software",
        title=f"{shown.name}: an entry of {shown.title}",
        author=shown.team,
        made_at=shown.submitted_at,
        url=f"{origin}/shared/{shown.id}",
        note=f"Phase {shown.phase}, {standing.metric} {standing.final_score:.4f} ({interval})",
    )


def written(work: Work, form: CitationFormat) -> str:
    """Write a work in a form."""
    return _bibtex(work) if form is CitationFormat.BIBTEX else _cff(work)


def _bibtex(work: Work) -> str:
    fields = {
        "title": f"{{{_escaped(work.title)}}}",
        "author": f"{{{_escaped(work.author)}}}",
        "year": str(work.made_at.year),
        "month": str(work.made_at.month),
        "howpublished": _escaped(work.note),
        "url": work.url,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    key = re.sub(r"[^a-z0-9-]+", "-", work.key.lower())
    return f"@misc{{{key},\n{lines}}}\n"


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(one, one) for one in text)


def _cff(work: Work) -> str:
    content = {
        "cff-version": "1.2.0",
        "message": "If you use this work, cite it as follows.",
        "type": work.kind,
        "title": work.title,
        "authors": [{"name": work.author}],
        "date-released": work.made_at.date(),
        "url": work.url,
        "abstract": work.note,
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
