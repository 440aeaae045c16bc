"""Writing what a file says into the rows of its competition and phases."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from services.api.competitions.naming import SlugTaken
from services.api.files.checking import Checked
from services.api.files.form import CompetitionFile, PhaseSection
from services.api.files.roles import write_roles
from services.api.files.stored import heads_of, parts_of
from services.api.kit.auth import Principal
from services.api.phases.service import OF_FINALS, insert_phases
from services.core.finals.acts import unmake
from services.core.models import BenchmarkRow, Competition, CompetitionPage, Phase
from services.core.references import asking as references
from services.core.store.database import WriteSession

__all__ = ["create", "delete_phase", "write"]

TEXTS = {"rules": "Rules", "prizes": "Prizes"}  # fields that are kept as pages, with their titles
OWN_COLUMNS = (
    *("title", "visibility", "description", "contact", "registration"),
    *("code_licence", "code_licence_required", "weight"),
)


def create(session: WriteSession, who: Principal, file: CompetitionFile) -> Competition:
    """Insert the competition of a file. Raises SlugTaken."""
    competition = Competition(slug=file.slug, title=file.title, owner_id=who.account_id)
    session.add(competition)
    try:
        session.flush()
    except IntegrityError as error:
        raise SlugTaken(f"The name {file.slug!r} is taken. Choose a different slug.") from error
    return competition


def write(
    session: WriteSession, who: Principal, competition: Competition, phases: Sequence[Phase], checked: Checked
) -> None:
    """Write a checked file: the competition's own columns, roles, pages, and its phases, which are locked."""
    file = checked.file
    for name in OWN_COLUMNS:
        setattr(competition, name, getattr(file, name))
    competition.team_size, competition.merge_until = file.teams.size, file.teams.merge_until
    competition.retention = None if file.retention is None else file.retention.model_dump(exclude_none=True)
    write_roles(session, who, competition, file)
    _write_pages(session, competition, file)
    stored = heads_of(phases)
    named = {section.slug for section in file.phases}
    for slug, head in stored.items():
        if slug not in named:
            delete_phase(session, parts_of(head, phases))
    for section in sorted(file.phases, key=lambda one: one.is_sealed_final):  # a final draws from phases that are there
        if section.slug in stored:
            parts = parts_of(stored[section.slug], phases)
            _change(session, who, parts, section, checked.benchmarks[section.slug])
        else:
            insert_phases(session, competition, section)
    session.flush()


def _change(
    session: WriteSession, who: Principal, parts: list[Phase], section: PhaseSection, benchmark: BenchmarkRow
) -> None:
    head = parts[0]
    before = [_runs_of(part) for part in parts]
    head.benchmark = benchmark
    for part in parts:
        for name, value in section.settings().items():
            if name not in OF_FINALS and name != "benchmark" and getattr(part, name) != value:
                setattr(part, name, value)
    if head.final_part is not None:
        head.final_part.final.selects, head.final_part.final.draws_from = section.selects, section.draws_from
    session.flush()
    overtaken = [part for part, runs in zip(parts, before, strict=True) if _runs_of(part) != runs]
    references.renew(session, overtaken, who.account_id)
    for part in parts:
        if part.references:
            references.ensure_for(session, part)


def _runs_of(phase: Phase) -> tuple[object, ...]:
    """Return what reference rows depend on."""
    return phase.benchmark.id, phase.seeds, phase.device, phase.environment


def delete_phase(session: WriteSession, parts: Sequence[Phase]) -> None:
    """Delete a phase; a final with all its parts."""
    if parts[0].final_part is not None:
        unmake(session, parts[0].final_part.final, parts)
        return
    session.delete(parts[0])
    session.flush()


def _write_pages(session: WriteSession, competition: Competition, file: CompetitionFile) -> None:
    texts = [(slug, title, getattr(file, slug)) for slug, title in TEXTS.items() if getattr(file, slug)]
    pages = texts + [(page.slug, page.title, page.body) for page in file.pages]
    session.execute(delete(CompetitionPage).where(CompetitionPage.competition_id == competition.id))
    session.add_all(
        CompetitionPage(competition_id=competition.id, slug=slug, title=title, body=body, position=position)
        for position, (slug, title, body) in enumerate(pages)
    )
