"""What the file of a stored competition says: its rows in the form of `form.py`, and the token of that state."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select

from services.api.competitions.finding import phases_of
from services.api.files.form import CompetitionFile, PageSection, PhaseSection, Retention, TeamsSection
from services.api.files.roles import Roles
from services.api.files.writing import write_file
from services.api.phases.service import OF_FINALS
from services.core.models import Competition, CompetitionPage, EnteredBy, Phase, PhaseKind
from services.core.store.database import ReadSession
from services.core.text import tidy

__all__ = ["entering", "heads_of", "pages_of", "parts_of", "stored_file", "token_of"]


def stored_file(session: ReadSession, competition: Competition) -> CompetitionFile:
    """Write down what is stored; what an older version let in is made legible."""
    pages = pages_of(session, competition)
    texts = {page.slug: page.body for page in pages}
    roles = Roles.of(session, competition)
    return CompetitionFile.model_construct(
        lethe=1,
        slug=competition.slug,
        title=competition.title,
        visibility=competition.visibility,
        description=tidy(competition.description, limit=len(competition.description)),
        rules=texts.pop("rules", ""),
        prizes=texts.pop("prizes", ""),
        contact=competition.contact,
        organisers=roles.organisers,
        reviewers=roles.reviewers,
        registration=competition.registration,
        teams=TeamsSection(size=competition.team_size, merge_until=competition.merge_until),
        code_licence=competition.code_licence,
        code_licence_required=competition.code_licence_required,
        retention=Retention.model_validate(competition.retention) if competition.retention else None,
        weight=competition.weight,
        pages=[_page(page) for page in pages if page.slug in texts],
        phases=sections_of(phases_of(session, [competition])[competition.id]),
    )


def pages_of(session: ReadSession, competition: Competition) -> list[CompetitionPage]:
    """List the pages of a competition in order; rules and prizes first, if there are any."""
    statement = select(CompetitionPage).where(CompetitionPage.competition_id == competition.id)
    return list(session.scalars(statement.order_by(CompetitionPage.position)))


def heads_of(phases: Sequence[Phase]) -> dict[str, Phase]:
    """Return the phases that a file names, by slug: a final on several benchmarks is one of them, its first."""
    return {phase.slug: phase for phase in phases if phase.final_part is None or phase.final_part.place == 0}


def parts_of(head: Phase, phases: Sequence[Phase]) -> list[Phase]:
    """Return the phases that a phase of a file stands for: itself, and those of a final's further benchmarks."""
    if head.final_part is None:
        return [head]
    found = {
        one.final_part.place: one
        for one in phases
        if one.final_part is not None and one.final_part.final_id == head.final_part.final_id
    }
    return [found[place] for place in sorted(found)]


def sections_of(phases: Sequence[Phase]) -> list[PhaseSection]:
    """Write the phases of a competition down, with their benchmarks' digests."""
    return [_section(head, parts_of(head, phases)) for head in heads_of(phases).values()]


def _section(head: Phase, parts: list[Phase]) -> PhaseSection:
    names = PhaseSection.model_fields.keys() - OF_FINALS - {"benchmark"}
    values = {name: getattr(head, name) for name in names}
    digests = [part.benchmark.digest for part in parts]
    final = None if head.final_part is None else head.final_part.final
    return PhaseSection.model_construct(
        **values,
        benchmark=digests[0],
        entered_by=entering(head.kind, sealed=final is not None),
        selects=1 if final is None else final.selects,
        draws_from=None if final is None else final.draws_from,
        further_benchmarks=digests[1:],
    )


def entering(kind: PhaseKind, *, sealed: bool) -> EnteredBy | None:
    """Say how entries come into a phase, if that is a question."""
    if kind is not PhaseKind.FINAL:
        return None
    return EnteredBy.SELECTION if sealed else EnteredBy.UPLOAD


def token_of(file: CompetitionFile) -> str:
    """Name a state of a competition: who changes it says on which state the change is based."""
    return hashlib.sha256(write_file(file).encode()).hexdigest()[:32]


def _page(page: CompetitionPage) -> PageSection:
    return PageSection.model_construct(slug=page.slug, title=page.title, body=page.body)
