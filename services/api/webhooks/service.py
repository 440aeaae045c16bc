"""Keeping webhooks and their calls."""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from services.api.webhooks.reaching import is_public
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import Account, Competition, HappeningKind, HookCall, OutgoingKind, Webhook
from services.core.outbox import post
from services.core.settings import Settings
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = [
    "BadWebhook",
    "CallWaits",
    "Owner",
    "TooManyWebhooks",
    "add",
    "find",
    "find_call",
    "listed",
    "remove",
    "repeat",
    "try_out",
]

MOST = 10  # webhooks of one account or competition
TRIAL = "webhook.test"


class BadWebhook(BadInput):
    code = "bad_webhook"


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"


class CallWaits(Conflict):
    code = "call_waits"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose webhooks they are: an account's or a competition's."""

    account_id: UUID | None = None
    competition_id: UUID | None = None

    @property
    def own(self) -> ColumnElement[bool]:
        """Select the owner's webhooks."""
        if self.account_id is not None:
            return Webhook.account_id == self.account_id
        return Webhook.competition_id == self.competition_id

    def lock(self, session: WriteSession) -> None:
        """Let no other request add webhooks of the owner meanwhile."""
        table: Any = Account if self.account_id is not None else Competition
        mine = table.id == (self.account_id or self.competition_id)
        session.execute(select(table.id).where(mine).with_for_update(key_share=True))


def add(session: WriteSession, settings: Settings, owner: Owner, url: str, kinds: Sequence[HappeningKind]) -> Webhook:
    """Add a webhook. Raises BadWebhook or TooManyWebhooks."""
    _require_callable(settings, url)
    owner.lock(session)
    count = session.scalars(select(func.count()).select_from(Webhook).where(owner.own)).one()
    if count >= MOST:
        raise TooManyWebhooks(f"There are {count} webhooks, and there may be {MOST}. Remove one first.")
    hook = Webhook(account_id=owner.account_id, competition_id=owner.competition_id, url=url, kinds=sorted(set(kinds)))
    session.add(hook)
    session.flush()
    return hook


def listed(session: ReadSession, owner: Owner) -> Sequence[Webhook]:
    """List all webhooks of an owner, oldest first."""
    return session.scalars(select(Webhook).where(owner.own).order_by(Webhook.created_at, Webhook.id)).all()


def find(session: ReadSession, owner: Owner, webhook_id: UUID) -> Webhook:
    """Find an owner's webhook. Raises NotFound."""
    hook = session.scalars(select(Webhook).where(owner.own, Webhook.id == webhook_id)).one_or_none()
    if hook is None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return hook


def remove(session: WriteSession, hook: Webhook) -> None:
    """Remove a webhook and its calls. What waits in the outbox for it is not sent."""
    session.execute(delete(HookCall).where(HookCall.webhook_id == hook.id))
    session.delete(hook)
    session.flush()


def try_out(session: WriteSession, hook: Webhook) -> HookCall:
    """Call a webhook with a message that says that it is a test. One that was disabled is enabled by it."""
    hook.disabled_at = None
    message = {"type": TRIAL, "timestamp": utc_now().isoformat(), "data": {}}
    call = HookCall(webhook_id=hook.id, kind=TRIAL, body=json.dumps(message))
    session.add(call)
    session.flush()
    _send(session, hook, call)
    return call


def find_call(session: WriteSession, hook: Webhook, call_id: UUID) -> HookCall:
    """Find a call of a webhook, and lock it. Raises NotFound."""
    call = session.get(HookCall, call_id, with_for_update=True)
    if call is None or call.webhook_id != hook.id:
        raise NotFound(f"The webhook has no call {call_id}. Calls are kept for 90 days.")
    return call


def repeat(session: WriteSession, hook: Webhook, call: HookCall) -> HookCall:
    """Make a call again, with the same id and body. Raises CallWaits if it has not ended."""
    if call.delivered_at is None and call.given_up_at is None:
        raise CallWaits("The call is still tried. Wait until it has ended, or remove the webhook.")
    hook.disabled_at = call.delivered_at = call.given_up_at = None
    _send(session, hook, call)
    return call


def _send(session: WriteSession, hook: Webhook, call: HookCall) -> None:
    post(session, OutgoingKind.HOOK_CALL, account_id=hook.account_id, payload={"call": str(call.id)})


def _require_callable(settings: Settings, url: str) -> None:
    """Raise BadWebhook for what will never be called. What a name leads to is judged at each call."""
    schemes = ("https", "http") if settings.webhooks_to_private else ("https",)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadWebhook("That is no address. Give one such as https://example.org/lethe.") from error
    if parts.scheme not in schemes or not host or "@" in parts.netloc or not url.isascii() or not _is_plain(url):
        raise BadWebhook("Give an address that begins with https://, without a user and in plain letters.")
    if not settings.webhooks_to_private and _is_private(host):
        raise BadWebhook("Addresses of private networks are not called. Give one that the internet reaches.")


def _is_plain(url: str) -> bool:
    return url.isprintable() and " " not in url


def _is_private(host: str) -> bool:
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
