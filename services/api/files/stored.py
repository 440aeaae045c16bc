"""What the file of a stored competition says: its rows in the form of `form.py`, and the token of that state."""

import hashlib

from sqlalchemy import select

from services.api.competitions.service import phases_of
from services.api.files.form import CompetitionFile, PageSection, PhaseSection
from services.api.files.writing import write_file
from services.core.models import Competition, CompetitionPage, Phase
from services.core.store.database import ReadSession
from services.core.text import tidy

__all__ = ["pages_of", "stored_file", "token_of"]


def stored_file(session: ReadSession, competition: Competition) -> CompetitionFile:
    """Write down what is stored; what an older version let in is made legible."""
    pages = pages_of(session, competition)
    texts = {page.slug: page.body for page in pages}
    return CompetitionFile.model_construct(
        lethe=1,
        slug=competition.slug,
        title=competition.title,
        visibility=competition.visibility,
        description=tidy(competition.description, limit=len(competition.description)),
        rules=texts.pop("rules", ""),
        prizes=texts.pop("prizes", ""),
        contact=competition.contact,
        weight=competition.weight,
        pages=[_page(page) for page in pages if page.slug in texts],
        phases=[section_of(phase) for phase in phases_of(session, [competition])[competition.id]],
    )


def pages_of(session: ReadSession, competition: Competition) -> list[CompetitionPage]:
    """List the pages of a competition in order; rules and prizes first, if there are any."""
    statement = select(CompetitionPage).where(CompetitionPage.competition_id == competition.id)
    return list(session.scalars(statement.order_by(CompetitionPage.position)))


def section_of(phase: Phase) -> PhaseSection:
    """Write a phase down, with its benchmark's digest."""
    values = {name: getattr(phase, name) for name in PhaseSection.model_fields if name != "benchmark"}
    return PhaseSection.model_construct(**values, benchmark=phase.benchmark.digest)


def token_of(file: CompetitionFile) -> str:
    """Name a state of a competition: who changes it says on which state the change is based."""
    return hashlib.sha256(write_file(file).encode()).hexdigest()[:32]


def _page(page: CompetitionPage) -> PageSection:
    return PageSection.model_construct(slug=page.slug, title=page.title, body=page.body)
