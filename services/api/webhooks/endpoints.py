"""Endpoints of webhooks: one's own, which are called for one's own submissions and competitions, and competitions'."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select

from services.api.competitions.finding import find_writable
from services.api.kit.finding import find_competition
from services.api.kit.pages import After, Limit, Page, newest_first
from services.api.kit.policy import Organising, SignedIn
from services.api.kit.schemas import Input, Text
from services.api.kit.sessions import Reading, Writing
from services.api.state import State
from services.api.webhooks import service
from services.api.webhooks.service import Owner
from services.api.webhooks.signing import secret_of
from services.core.models import Act, HappeningKind, HookCall, Webhook
from services.core.record.acts import record
from services.core.store.database import ReadSession

__all__ = ["router"]

router = APIRouter(tags=["webhooks"])
OWN = "/me/webhooks"
THEIRS = "/competitions/{slug}/webhooks"


class NewWebhook(Input):
    url: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] = Field(
        description="An address that begins with https://."
    )
    kinds: list[HappeningKind] = Field(
        default_factory=lambda: list(HappeningKind), min_length=1, max_length=20, description="What to call it for."
    )


class WebhookOut(BaseModel):
    """A webhook."""

    id: UUID
    url: str
    kinds: list[HappeningKind]
    created_at: datetime
    disabled_at: datetime | None = Field(
        description="Since when it is not called: it did not answer for four days, or answered 410. A test enables it."
    )

    @classmethod
    def of(cls, row: Webhook) -> Self:
        """Make the JSON form of a webhook."""
        kinds = [HappeningKind(kind) for kind in row.kinds]
        return cls(id=row.id, url=row.url, kinds=kinds, created_at=row.created_at, disabled_at=row.disabled_at)


class WebhookWithSecret(WebhookOut):
    secret: str = Field(description="Proves who calls (standardwebhooks.com). It is shown only once.")


class HookCallOut(BaseModel):
    """A call of a webhook."""

    id: UUID
    kind: str
    body: str
    attempts: int
    status: int | None = Field(description="What the address answered last.")
    problem: str | None = Field(description="Why there was no answer.")
    created_at: datetime
    delivered_at: datetime | None
    given_up_at: datetime | None

    @classmethod
    def of(cls, row: HookCall) -> Self:
        """Make the JSON form of a call."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


@router.get(OWN)
def list_own_webhooks(who: SignedIn, session: Reading) -> Page[WebhookOut]:
    """List your webhooks. All are on one page."""
    return _list(session, Owner(account_id=who.account_id))


@router.post(OWN, status_code=201)
def add_own_webhook(new: NewWebhook, who: SignedIn, session: Writing, state: State) -> WebhookWithSecret:
    """Add an address that is called when something happens to your submissions and competitions."""
    hook = service.add(session, state.settings, Owner(account_id=who.account_id), new.url, new.kinds)
    return _with_secret(hook, state)


@router.delete(OWN + "/{webhook_id}", status_code=204)
def remove_own_webhook(webhook_id: UUID, who: SignedIn, session: Writing) -> None:
    """Remove one of your webhooks."""
    service.remove(session, service.find(session, Owner(account_id=who.account_id), webhook_id))


@router.post(OWN + "/{webhook_id}/test", status_code=201)
def test_own_webhook(webhook_id: UUID, who: SignedIn, session: Writing) -> HookCallOut:
    """Call one of your webhooks with a test message, also if it was disabled."""
    return HookCallOut.of(service.try_out(session, service.find(session, Owner(account_id=who.account_id), webhook_id)))


@router.get(OWN + "/{webhook_id}/calls")
def list_own_calls(
    *, webhook_id: UUID, who: SignedIn, session: Reading, state: State, limit: Limit = 50, after: After = None
) -> Page[HookCallOut]:
    """List the calls of one of your webhooks, newest first. They are kept for 90 days."""
    return _calls(session, state, Owner(account_id=who.account_id), webhook_id, limit=limit, after=after)


@router.post(OWN + "/{webhook_id}/calls/{call_id}/repeat")
def repeat_own_call(webhook_id: UUID, call_id: UUID, who: SignedIn, session: Writing) -> HookCallOut:
    """Make a call again, with the same id and body."""
    hook = service.find(session, Owner(account_id=who.account_id), webhook_id)
    return HookCallOut.of(service.repeat(session, hook, service.find_call(session, hook, call_id)))


@router.get(THEIRS)
def list_webhooks(slug: Text, who: Organising, session: Reading) -> Page[WebhookOut]:
    """List the webhooks of a competition. All are on one page."""
    return _list(session, Owner(competition_id=find_competition(session, slug, who).id))


@router.post(THEIRS, status_code=201)
def add_webhook(slug: Text, new: NewWebhook, who: Organising, session: Writing, state: State) -> WebhookWithSecret:
    """Add an address that is called when something happens in a competition, to any team. It is on record."""
    competition = find_writable(session, slug, who)
    hook = service.add(session, state.settings, Owner(competition_id=competition.id), new.url, new.kinds)
    details = {"webhook": str(hook.id)}
    record(session, Act.WEBHOOK_ADDED, competition_id=competition.id, account_id=who.account_id, details=details)
    return _with_secret(hook, state)


@router.delete(THEIRS + "/{webhook_id}", status_code=204)
def remove_webhook(slug: Text, webhook_id: UUID, who: Organising, session: Writing) -> None:
    """Remove a webhook of a competition. It is on record."""
    competition = find_writable(session, slug, who)
    service.remove(session, service.find(session, Owner(competition_id=competition.id), webhook_id))
    details = {"webhook": str(webhook_id)}
    record(session, Act.WEBHOOK_REMOVED, competition_id=competition.id, account_id=who.account_id, details=details)


@router.post(THEIRS + "/{webhook_id}/test", status_code=201)
def test_webhook(slug: Text, webhook_id: UUID, who: Organising, session: Writing) -> HookCallOut:
    """Call a webhook of a competition with a test message, also if it was disabled."""
    owner = Owner(competition_id=find_writable(session, slug, who).id)
    return HookCallOut.of(service.try_out(session, service.find(session, owner, webhook_id)))


@router.get(THEIRS + "/{webhook_id}/calls")
def list_calls(
    *,
    slug: Text,
    webhook_id: UUID,
    who: Organising,
    session: Reading,
    state: State,
    limit: Limit = 50,
    after: After = None,
) -> Page[HookCallOut]:
    """List the calls of a competition's webhook, newest first. They are kept for 90 days."""
    owner = Owner(competition_id=find_competition(session, slug, who).id)
    return _calls(session, state, owner, webhook_id, limit=limit, after=after)


@router.post(THEIRS + "/{webhook_id}/calls/{call_id}/repeat")
def repeat_call(slug: Text, webhook_id: UUID, call_id: UUID, who: Organising, session: Writing) -> HookCallOut:
    """Make a call again, with the same id and body."""
    owner = Owner(competition_id=find_writable(session, slug, who).id)
    hook = service.find(session, owner, webhook_id)
    return HookCallOut.of(service.repeat(session, hook, service.find_call(session, hook, call_id)))


def _list(session: ReadSession, owner: Owner) -> Page[WebhookOut]:
    return Page(items=[WebhookOut.of(row) for row in service.listed(session, owner)], next=None)


def _calls(
    session: ReadSession, state: State, owner: Owner, webhook_id: UUID, *, limit: int, after: str | None
) -> Page[HookCallOut]:
    listing = f"calls:{webhook_id}"
    if after is not None:
        state.cursors.decode(listing, after)  # a broken cursor is told before a webhook is looked for
    rows, following = newest_first(
        session,
        select(HookCall).where(HookCall.webhook_id == service.find(session, owner, webhook_id).id),
        HookCall,
        cursors=state.cursors,
        listing=listing,
        limit=limit,
        after=after,
    )
    return Page(items=[HookCallOut.of(row) for row in rows], next=following)


def _with_secret(hook: Webhook, state: State) -> WebhookWithSecret:
    return WebhookWithSecret(**WebhookOut.of(hook).model_dump(), secret=secret_of(state.key, hook.id))
