"""Registering for a competition, and asking whether somebody is registered, which is one look-up by primary key."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from services.api.kit.auth import Principal
from services.api.kit.policy import Forbidden
from services.api.people import invitations
from services.api.people.rules import version_of
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import Account, Act, Competition, Registration, RegistrationMode, RegistrationState
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "CodeNeeded",
    "NotRegistered",
    "RegistrationRefused",
    "RegistrationWaiting",
    "RulesChanged",
    "RulesNotAccepted",
    "change_mode",
    "decide",
    "enter",
    "find_registration",
    "is_admitted",
    "register",
    "registrations_to",
    "require_registered",
]

ON_THE_PAGE = "or use the Register card on the competition's page"


class NotRegistered(Forbidden):
    code = "not_registered"


class RegistrationWaiting(Forbidden):
    code = "registration_waiting"


class RegistrationRefused(Forbidden):
    code = "registration_refused"


class RulesNotAccepted(Forbidden):
    code = "rules_not_accepted"


class RulesChanged(Conflict):
    code = "rules_changed"


class CodeNeeded(BadInput):
    code = "code_needed"


def find_registration(session: ReadSession, who: Principal, competition: Competition) -> Registration | None:
    """Find the caller's registration."""
    return session.get(Registration, (competition.id, who.account_id))


def is_admitted(session: ReadSession, who: Principal, competition: Competition) -> bool:
    """Tell whether the caller may submit, as far as registration goes."""
    try:
        require_registered(session, who, competition)
    except Forbidden:
        return False
    return True


def require_registered(session: ReadSession, who: Principal, competition: Competition) -> None:
    """Raise the error that says what to do, unless the caller is registered and has accepted the rules in force.

    In an open competition without rules everybody may submit: `enter` registers them.
    """
    found = find_registration(session, who, competition)
    _refuse_refused(found, competition)
    version = version_of(competition)
    if found is None or found.state is RegistrationState.WAITING:
        if competition.registration is RegistrationMode.OPEN and version is None:
            return
        if found is not None and competition.registration is RegistrationMode.APPROVAL:
            raise RegistrationWaiting(
                f"Your registration for {competition.slug!r} waits for an organiser. Submit when you are approved."
            )
        raise NotRegistered(
            f"You are not registered for {competition.slug!r}. Run `{_command(competition, version)}`, {ON_THE_PAGE}."
        )
    if version is not None and found.rules_version != version:
        raise RulesNotAccepted(
            f"You have not accepted the rules of {competition.slug!r} in force. Read them, then run "
            f"`lethe register {competition.slug} --accept-rules`, {ON_THE_PAGE}."
        )


def enter(session: WriteSession, who: Principal, competition: Competition) -> None:
    """Register a caller whom `require_registered` let in without a registration."""
    found = find_registration(session, who, competition)
    if found is None or found.state is RegistrationState.WAITING:
        found = _locked(session, who, competition)
        _refuse_refused(found, competition)
        found.state = RegistrationState.ACCEPTED
        session.flush()


def register(
    session: WriteSession, who: Principal, competition: Competition, key: bytes, *, rules: str | None, code: str | None
) -> Registration:
    """Register the caller, who accepts a version of the rules if there are any.

    Raises RegistrationRefused, RulesNotAccepted, RulesChanged, CodeNeeded or BadCode.
    """
    found = _locked(session, who, competition)
    _refuse_refused(found, competition)
    _accept_rules(session, who, competition, found, rules)
    if found.state is not RegistrationState.ACCEPTED:
        _admit(session, who, competition, found, key=key, code=code)
    session.flush()
    return found


def change_mode(session: WriteSession, who: Principal, competition: Competition, mode: RegistrationMode) -> None:
    """Change how people register. Whoever is registered stays so."""
    if competition.registration is mode:
        return
    competition.registration = mode
    details = {"registration": mode}
    record(session, Act.REGISTRATION_CHANGED, competition_id=competition.id, account_id=who.account_id, details=details)


def decide(
    session: WriteSession, who: Principal, competition: Competition, usernames: Sequence[str], refusal: str | None
) -> list[Registration]:
    """Accept registrations, or refuse them for a reason; all or none. Raises NotFound, which names the wrong names."""
    wanted = registrations_to(competition).where(Registration.username.in_(set(usernames)))
    rows = session.scalars(wanted.order_by(Registration.username).with_for_update()).all()
    missing = sorted(set(usernames) - {row.username for row in rows})
    if missing:
        raise NotFound(f"Not registered for {competition.slug!r}, nor waiting: {', '.join(missing)}. Check the names.")
    state = RegistrationState.ACCEPTED if refusal is None else RegistrationState.REFUSED
    for row in rows:
        if (row.state, row.reason) != (state, refusal):
            row.state, row.reason, row.decided_at = state, refusal, utc_now()
            _record_decision(session, who, row)
    return list(rows)


def registrations_to(
    competition: Competition, state: RegistrationState | None = None, search: str = ""
) -> Select[Registration]:
    """Select the registrations for a competition in a state, of usernames that begin in a way."""
    statement = select(Registration).where(Registration.competition_id == competition.id)
    if state is not None:
        statement = statement.where(Registration.state == state)
    if search:  # a range, which the index answers; no character of a username follows the tilde
        statement = statement.where(Registration.username >= search, Registration.username < search + "~")
    return statement


def _record_decision(session: WriteSession, who: Principal, row: Registration) -> None:
    record(
        session,
        Act.REGISTRATION_ACCEPTED if row.reason is None else Act.REGISTRATION_REFUSED,
        competition_id=row.competition_id,
        account_id=who.account_id,
        details={"account": str(row.account_id)} | ({} if row.reason is None else {"reason": row.reason}),
    )


def _locked(session: WriteSession, who: Principal, competition: Competition) -> Registration:
    """Lock the caller's registration, or add one that waits. The account's lock lets two requests add one row."""
    account = session.scalars(select(Account).where(Account.id == who.account_id).with_for_update(key_share=True)).one()
    found = session.get(Registration, (competition.id, account.id), with_for_update={"key_share": True})
    if found is None:
        found = Registration(
            competition_id=competition.id,
            account_id=account.id,
            username=account.username,
            state=RegistrationState.WAITING,
        )
        session.add(found)
    return found


def _refuse_refused(found: Registration | None, competition: Competition) -> None:
    if found is not None and found.state is RegistrationState.REFUSED:
        raise RegistrationRefused(
            f"An organiser refused your registration for {competition.slug!r}: {found.reason} Ask them if this is a "
            "mistake."
        )


def _accept_rules(
    session: WriteSession, who: Principal, competition: Competition, found: Registration, rules: str | None
) -> None:
    version = version_of(competition)
    if version is None or found.rules_version == version:
        return
    if rules is None:
        raise RulesNotAccepted(
            f"Accept the rules of {competition.slug!r} to register: read them, then add `--accept-rules`, or tick the "
            "box on the competition's page."
        )
    if rules != version:
        raise RulesChanged(f"The rules of {competition.slug!r} have changed since you read them. Read them again.")
    found.rules_version, found.rules_accepted_at = version, utc_now()
    details = {"rules": version}
    record(session, Act.RULES_ACCEPTED, competition_id=competition.id, account_id=who.account_id, details=details)


def _admit(
    session: WriteSession,
    who: Principal,
    competition: Competition,
    found: Registration,
    *,
    key: bytes,
    code: str | None,
) -> None:
    """Accept a registration that waits, if the competition's mode lets the caller in now."""
    if competition.registration is RegistrationMode.APPROVAL:
        return
    if competition.registration is RegistrationMode.INVITATION:
        if not code:
            raise CodeNeeded(
                f"{competition.slug!r} admits people with an invitation. Run `lethe register {competition.slug} --code "
                f"CODE` with the code that an organiser gave you, {ON_THE_PAGE}."
            )
        invitations.admit(session, who, competition, key, code)
    found.state = RegistrationState.ACCEPTED


def _command(competition: Competition, version: str | None) -> str:
    code = " --code CODE" if competition.registration is RegistrationMode.INVITATION else ""
    return f"lethe register {competition.slug}{code}{' --accept-rules' if version else ''}"
