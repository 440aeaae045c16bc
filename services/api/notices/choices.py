"""By which way somebody is told of which kind of happening: in the web app, by mail. A webhook names its own kinds."""

from collections.abc import Collection

from services.core.models import Account, HappeningKind

__all__ = ["USUAL", "by_mail", "in_app", "noticed", "stop_mail"]

USUAL = frozenset(
    {
        HappeningKind.SCORED,
        HappeningKind.CHECKED,
        HappeningKind.FAILED,
        HappeningKind.ANNOUNCED,
        HappeningKind.OPENED,
        HappeningKind.CLOSING,
        HappeningKind.BOARD_CHANGED,
    }
)
"""What somebody is told of who has chosen nothing: all that one does not cause or see at once."""


def in_app(account: Account) -> list[HappeningKind]:
    """List the kinds of which somebody gets notices in the web app."""
    return _chosen(account.notice_kinds)


def by_mail(account: Account) -> list[HappeningKind]:
    """List the kinds of which somebody wants mail, if they want any at all."""
    return _chosen(account.mail_kinds)


def noticed(account: Account, kind: HappeningKind) -> tuple[bool, bool]:
    """Tell whether somebody gets a notice of a kind, and a mail."""
    reachable = account.mail_wanted and account.email_verified_at is not None
    return kind in in_app(account), reachable and kind in by_mail(account)


def stop_mail(account: Account, kind: HappeningKind | None) -> None:
    """Send somebody no more mail of a kind, or with None no more mail about competitions."""
    if kind is None:
        account.mail_wanted = False
    else:
        account.mail_kinds = [one for one in by_mail(account) if one is not kind]


def _chosen(kinds: Collection[HappeningKind] | None) -> list[HappeningKind]:
    wanted = USUAL if kinds is None else frozenset(kinds)
    return [one for one in HappeningKind if one in wanted]
