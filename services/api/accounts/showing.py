"""How people see their own account."""

from services.api.accounts.schemas import AccountOut, EmailOut, MeOut, PreferencesOut, ProfileOut, TeamOut
from services.api.notices.choices import by_mail, in_app
from services.api.teams.seats import own_teams
from services.core.models import Account
from services.core.store.database import ReadSession

__all__ = ["me_of"]


def me_of(session: ReadSession, account: Account) -> MeOut:
    """Return an account as only its holder sees it."""
    email = account.email and EmailOut(address=account.email, verified=account.email_verified_at is not None)
    return MeOut(
        account=AccountOut.of(account),
        teams=[TeamOut.of(team) for team in own_teams(session, account.id)],
        profile=ProfileOut(display_name=account.display_name, affiliation=account.affiliation, link=account.link),
        preferences=PreferencesOut(
            mail_wanted=account.mail_wanted,
            notice_kinds=in_app(account),
            mail_kinds=by_mail(account),
            shown_in_teams=account.shown_in_teams,
            time_zone=account.time_zone,
            theme=account.theme,
        ),
        email=email or None,
        has_password=bool(account.password_hash),
    )
