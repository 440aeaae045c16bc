"""Applying a file: all of it in one transaction, on the state that its author saw, or nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from services.api.announcements.promises import announce_broken
from services.api.competitions.finding import phases_of
from services.api.competitions.naming import SlugTaken
from services.api.competitions.promises import in_words, require_confirmation
from services.api.competitions.rights import require_organiser, require_writable
from services.api.files.changes import Change, ChangeKind, differences
from services.api.files.checking import Checked, check_file, is_used
from services.api.files.form import CompetitionFile
from services.api.files.reading import BadFile, Reading, read_file
from services.api.files.recording import keep_version, note, record_applied
from services.api.files.rows import create, delete_phase, write
from services.api.files.stored import heads_of, parts_of, stored_file, token_of
from services.api.kit.auth import Principal
from services.api.kit.finding import find_competition
from services.api.kit.policy import Access, require_access
from services.core.errors import Conflict, NotFound
from services.core.models import (
    Act,
    Announcement,
    Competition,
    CompetitionImage,
    CompetitionPage,
    CompetitionVersion,
    Phase,
    Visibility,
)
from services.core.references import asking as references
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "Applied",
    "CompetitionChanged",
    "CompetitionNotEmpty",
    "Plan",
    "apply_file",
    "delete_competition",
    "plan_file",
    "require_token",
]


class CompetitionChanged(Conflict):
    code = "competition_changed"


class CompetitionNotEmpty(Conflict):
    code = "competition_not_empty"


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would do, and the state on which it was judged."""

    slug: str
    competition: Competition | None
    phases: list[Phase]
    checked: Checked
    changes: list[Change]
    token: str | None  # of the state now; None if there is no competition yet

    @property
    def promises(self) -> list[Change]:
        """List the changes on which participants of an open phase did not count."""
        return [change for change in self.changes if change.promise]


@dataclass(frozen=True, slots=True)
class Applied:
    """What was applied: the version that keeps the file, or none if nothing changed."""

    plan: Plan
    version: CompetitionVersion | None
    announcement: Announcement | None


def plan_file(session: ReadSession, who: Principal, text: str) -> Plan:
    """Say what a file would change. Raises BadFile, NotOrganiser, SlugTaken or CompetitionArchived."""
    reading = read_file(text)
    competition = _find(session, who, reading)
    phases = phases_of(session, [competition])[competition.id] if competition else []
    return _plan(session, who, reading, competition, phases)


def apply_file(session: WriteSession, who: Principal, text: str, *, based_on: str | None, confirm: bool) -> Applied:
    """Apply a file to the state that `based_on` names. Raises what `plan_file` does, and besides:

    CompetitionChanged if somebody changed the competition since, ConfirmationNeeded if the file breaks a promise.
    """
    reading = read_file(text)
    competition = _lock(session, _find(session, who, reading))
    phases = _lock_phases(session, competition) if competition else []
    require_token(stored_file(session, competition) if competition else None, based_on)
    plan = _plan(session, who, reading, competition, phases)
    require_confirmation([change.path for change in plan.promises], confirm=confirm)
    if not plan.changes:
        return Applied(plan, None, None)
    if competition is None:
        competition = create(session, who, plan.checked.file)
    write(session, who, competition, phases, plan.checked)
    version = keep_version(session, who, competition, text)
    record_applied(session, who, competition, plan.changes, version, is_new=plan.competition is None)
    told = [_in_words(change) for change in plan.promises]
    announcement = announce_broken(session, who, competition, told) if told else None
    return Applied(plan, version, announcement)


def require_token(stored: CompetitionFile | None, based_on: str | None) -> None:
    """Raise CompetitionChanged unless `based_on` names what is stored."""
    token = token_of(stored) if stored else None
    if token != based_on:
        raise CompetitionChanged(
            "Somebody has changed the competition since you looked, so nothing was applied. Look at it again, compare "
            "it with your changes, and apply them once more.",
            token=token,
        )


def delete_competition(session: WriteSession, who: Principal, slug: str) -> None:
    """Delete a competition to which nobody submitted. Raises CompetitionNotEmpty. The record keeps its acts."""
    competition = _lock(session, find_competition(session, slug, who))
    require_organiser(who, competition)
    phases = _lock_phases(session, competition)
    heads = [parts_of(head, phases) for head in heads_of(phases).values()]
    if any(is_used(session, parts) for parts in heads):
        raise CompetitionNotEmpty(f"{slug!r} has submissions or rescorings, so it stays. Set `visibility: archived`.")
    for parts in heads:
        references.stop(session, parts)
        if not references.has_rows(session, parts):
            delete_phase(session, parts)
    for table in (CompetitionPage, CompetitionImage):
        session.execute(delete(table).where(table.competition_id == competition.id))
    details: dict[str, object] = {"slug": slug, "title": competition.title}
    competition.visibility = Visibility.DELETED
    competition.slug = f"deleted-{competition.id.hex}"  # another competition may have its name
    note(session, who, Act.COMPETITION_DELETED, competition, details)


def _find(session: ReadSession, who: Principal, reading: Reading) -> Competition | None:
    """Find the competition of a file, which the caller must organise; None if there is none yet."""
    value = reading.document.value
    slug = value.get("slug") if isinstance(value, dict) else None
    if not isinstance(slug, str):
        raise BadFile(reading.mistakes)
    try:
        competition = find_competition(session, slug, who)
    except NotFound:
        if session.scalar(select(Competition.id).where(Competition.slug == slug)) is not None:
            raise SlugTaken(f"The name {slug!r} is taken. Choose a different slug.") from None
        require_access(who, Access.ORGANISER)
        return None
    require_organiser(who, competition)
    return competition


def _plan(
    session: ReadSession, who: Principal, reading: Reading, competition: Competition | None, phases: list[Phase]
) -> Plan:
    now = utc_now()
    checked = check_file(session, who, reading, competition=competition, phases=phases, now=now)
    before = stored_file(session, competition) if competition else None
    changes = differences(before, checked.file, now)
    if changes and competition and checked.file.visibility is Visibility.ARCHIVED:
        require_writable(competition)
    token = token_of(before) if before else None
    return Plan(checked.file.slug, competition, phases, checked, changes, token)


def _lock(session: WriteSession, competition: Any) -> Any:
    if competition is None:
        return None
    statement = select(Competition).where(Competition.id == competition.id).with_for_update(key_share=True)
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def _lock_phases(session: WriteSession, competition: Competition) -> list[Phase]:
    """Lock the phases of a competition against submissions, too: whether there are any decides what may change."""
    statement = select(Phase).where(Phase.competition_id == competition.id).order_by(Phase.id).with_for_update()
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _in_words(change: Change) -> str:
    name = change.path.removeprefix("phases.")
    if change.kind is not ChangeKind.CHANGED:
        return f"{name}: {change.kind}"
    return in_words(name, change.before, change.after)
