"""Making the calls that wait in the outbox, and writing down what came of each."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.api.kit.sending import GIVE_UP_AFTER, Act, Refused, Sending
from services.api.webhooks.reaching import NotReached, post
from services.api.webhooks.signing import secret_of, signed
from services.core.models import HookCall, Outgoing, OutgoingKind
from services.core.settings import Settings
from services.core.store.database import Database, WriteSession, clock, utc_now

__all__ = ["hook_sending"]

GONE = 410  # what an address answers that wants no more calls
SUCCESSES = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent, read from the database before the call."""

    call_id: UUID
    url: str
    secret: str
    body: bytes


def hook_sending(settings: Settings, key: bytes, database: Database) -> Sending:
    """Return what calls webhooks."""

    def prepare(session: WriteSession, row: Outgoing) -> Act | None:
        call = session.get(HookCall, UUID(str(row.payload["call"])))
        if call is None or call.delivered_at is not None:
            return None
        too_old = clock(session) - row.created_at > GIVE_UP_AFTER
        if too_old:
            call.webhook.disabled_at = call.webhook.disabled_at or utc_now()
        if call.webhook.disabled_at is not None:
            call.given_up_at = utc_now()
            return None
        message = _Message(call.id, call.webhook.url, secret_of(key, call.webhook_id), call.body.encode())
        return partial(_carry_out, settings, database, message)

    return Sending(database, frozenset({OutgoingKind.HOOK_CALL}), prepare)


def _carry_out(settings: Settings, database: Database, message: _Message) -> None:
    """Call once. Raises NotReached if another attempt may succeed, and Refused if the address wants no more."""
    status, problem = None, None
    try:
        headers = signed(message.secret, message.call_id, int(utc_now().timestamp()), message.body)
        status = post(message.url, message.body, headers, to_private=settings.webhooks_to_private)
    except NotReached as error:
        problem = str(error)
    with database.write() as session:
        call = session.get(HookCall, message.call_id, with_for_update=True)
        if call is None:
            return
        call.attempts += 1
        call.status, call.problem = status, problem
        if status in SUCCESSES:
            call.delivered_at = utc_now()
            return
        if status == GONE:
            call.given_up_at = call.webhook.disabled_at = utc_now()
    if status == GONE:
        raise Refused
    raise NotReached(problem or f"it answered {status}")
