"""How two files differ, and which differences participants of an open phase did not count on."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.api.competitions.promises import breaks, is_relied_on
from services.api.files.form import CompetitionFile, FileHead, PhaseSection, Retention, TeamsSection
from services.api.files.reading import ROLES

__all__ = ["Change", "ChangeKind", "differences"]

MAX_COMPARED = 1_000_000  # pairs of lines


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a field, or a whole phase or page."""

    path: str
    kind: ChangeKind
    before: Any  # of a field; of a text of several lines, `lines` tell instead
    after: Any
    lines: list[str]  # of a text: a unified diff, without its head
    promise: bool  # participants of an open phase rely on it, so it needs a confirmation


def _compared(old: list[str], new: list[str]) -> list[str]:
    """Compare two texts line by line, unless that would take long."""
    if len(old) * len(new) > MAX_COMPARED:
        return [f"@@ {len(old)} lines, now {len(new)} @@"]
    return list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]


def differences(before: CompetitionFile | None, after: CompetitionFile, now: datetime) -> list[Change]:
    """List how a file changes a competition, in the order of its fields; all of it, if there is none yet."""
    return list(_differences(before, after, now))


def _differences(before: CompetitionFile | None, after: CompetitionFile, now: datetime) -> Iterator[Change]:
    for name in FileHead.model_fields:
        if name == "teams":
            continue
        old, new = getattr(before, name, None), getattr(after, name)
        if name in ROLES:
            yield from _people(name, old or [], new)
        elif name == "retention":
            for rule in Retention.model_fields:
                yield from _field(f"{name}.{rule}", getattr(old, rule, None), getattr(new, rule, None))
        else:
            yield from _field(name, old, new)
    yield from _teams(before, after, now)
    yield from _sections("pages", before.pages if before else [], after.pages, _never)

    def is_broken(name: str | None, old: Any, new: Any, phase: PhaseSection) -> bool:
        if before is None or not is_relied_on(before.visibility, phase.opens_at, now):
            return False
        return name is None or breaks(name, old, new)

    yield from _sections("phases", before.phases if before else [], after.phases, is_broken)


def _people(role: str, before: list[str], after: list[str]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if (name in before) != (name in after):
            kind = ChangeKind.ADDED if name in after else ChangeKind.REMOVED
            yield Change(f"{role}.{name}", kind, None, None, [], promise=False)


def _teams(before: CompetitionFile | None, after: CompetitionFile, now: datetime) -> Iterator[Change]:
    relied = before is not None and any(is_relied_on(before.visibility, one.opens_at, now) for one in before.phases)
    for name in TeamsSection.model_fields:
        path = f"teams.{name}"
        was, is_now = getattr(before.teams, name) if before else None, getattr(after.teams, name)
        yield from _field(path, was, is_now, promise=relied and breaks(path, was, is_now))


def _never(*_: object) -> bool:
    return False


def _sections(
    kind: str, before: list[Any], after: list[Any], is_broken: Callable[[str | None, Any, Any, Any], bool]
) -> Iterator[Change]:
    old, new = ({one.slug: one for one in sections} for sections in (before, after))
    for slug, section in new.items():
        if slug not in old:
            yield Change(f"{kind}.{slug}", ChangeKind.ADDED, None, None, [], promise=False)
        for name in type(section).model_fields:
            if name != "slug":
                was, is_now = getattr(old.get(slug), name, None), getattr(section, name)
                promise = slug in old and is_broken(name, was, is_now, old[slug])
                yield from _field(f"{kind}.{slug}.{name}", was, is_now, promise=promise)
    for slug, section in old.items():
        if slug not in new:
            promise = is_broken(None, None, None, section)
            yield Change(f"{kind}.{slug}", ChangeKind.REMOVED, None, None, [], promise=promise)
    if kind == "pages":
        kept = [[slug for slug in one if slug in old and slug in new] for one in (old, new)]
        if kept[0] != kept[1]:
            before_them, after_them = (", ".join(one) for one in kept)
            yield Change("pages", ChangeKind.CHANGED, before_them, after_them, [], promise=False)


def _field(path: str, before: Any, after: Any, *, promise: bool = False) -> Iterator[Change]:
    if before == after or (before is None and after == ""):
        return
    texts = [value for value in (before, after) if isinstance(value, str)]
    if any("\n" in text for text in texts):
        old, new = (text.splitlines() if isinstance(text, str) else [] for text in (before, after))
        yield Change(path, ChangeKind.CHANGED, None, None, _compared(old, new), promise=promise)
    else:
        yield Change(path, ChangeKind.CHANGED, before, after, [], promise=promise)
