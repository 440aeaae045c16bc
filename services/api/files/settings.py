"""The settings of one phase: read as its file says them, and changed as applying the changed file changes them."""

from services.api.competitions.rights import require_writable
from services.api.files.applying import Applied, apply_file, require_token
from services.api.files.form import CompetitionFile, PhaseSection
from services.api.files.stored import stored_file
from services.api.files.writing import write_file
from services.api.kit.auth import Principal
from services.core.errors import BadInput, NotFound
from services.core.models import Competition
from services.core.store.database import WriteSession

__all__ = ["change_settings", "section_of"]


def section_of(file: CompetitionFile, phase: str) -> PhaseSection:
    """Find what a file says of a phase. Raises NotFound; the further phases of a final are not in the file."""
    return file.phases[_place(file, phase)]


def change_settings(
    session: WriteSession,
    who: Principal,
    competition: Competition,
    phase: str,
    wanted: PhaseSection,
    *,
    based_on: str,
    confirm: bool,
) -> Applied:
    """Give a phase other settings, on the state that `based_on` names. Raises what `apply_file` does, NotFound
    and CompetitionArchived.

    The competition gets a version of its file, as though an organiser had applied it.
    """
    require_writable(competition)
    file = stored_file(session, competition)
    place = _place(file, phase)
    require_token(file, based_on)
    if wanted.slug != phase:
        raise BadInput(f"The short name of a phase never changes. Send {phase!r} as its slug.")
    file.phases[place] = wanted
    file.organisers = file.reviewers = None  # the version that is kept names nobody
    return apply_file(session, who, write_file(file), based_on=based_on, confirm=confirm)


def _place(file: CompetitionFile, phase: str) -> int:
    found = [number for number, section in enumerate(file.phases) if section.slug == phase]
    if not found:
        raise NotFound(
            f"{file.slug!r} has no settings of a phase {phase!r}. The further phases of a final follow its first one."
        )
    return found[0]
