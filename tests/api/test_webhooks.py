"""Webhooks: signed, tried again, and never let into our own network."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from services.api.webhooks import reaching
from services.api.webhooks.reaching import NotReached, PrivateAddress, is_public
from services.core.models import HookCall, Outgoing, OutgoingKind, Phase, Webhook
from services.core.settings import Settings
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, make_settings, running
from tests.api.people import CUP
from tests.api.receiver import Receiver, receiver
from tests.api.test_notices import announce, tell

HOOKS = "/api/me/webhooks"
NEVER_CALLED = (
    "http://example.org",
    "https://user:password@example.org",
    "https://127.0.0.1/x",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://localhost:8000",
    "https://metadata.localhost",
    "ftp://example.org",
    "https://",
    "https://exa mple.org",
    "https://example.org:99999",
    "https://ex\u00e4mple.org",
)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url, webhooks_to_private=True)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def add(caller: Caller, url: str, path: str = HOOKS, **body: Any) -> dict[str, Any]:
    answer = caller.post(path, json={"url": url} | body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def code(answer: Any) -> str:
    return str(answer.json()["code"])


def send(api: Api) -> int:
    """Make every call that is due, and let what failed be due at once; return how many were made."""
    with api.database.write() as session:
        session.execute(update(Outgoing).values(due_at=utc_now() - timedelta(hours=1)))
    waiting = 0
    with api.database.read() as session:
        waiting = session.scalars(select(func.count()).select_from(Outgoing)).one()
    return sum(api.state.hooks.step() for _ in range(waiting))


def calls(caller: Caller, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"{HOOKS}/{hook['id']}/calls").json()["items"]
    return found


def test_a_call_is_signed_and_tried_again_under_the_same_id(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, there: Receiver
) -> None:
    """The signature is computed here by the scheme's own words: HMAC-SHA256 of id.moment.body, in base64."""
    hook = add(participant, there.url, kinds=["announcement.posted"])
    assert participant.submit().status_code == 201
    announce(organiser, "Hot news")
    tell(api)
    there.answers = [500, 204]

    assert send(api) == 1
    (call,) = calls(participant, hook)
    assert (call["status"], call["attempts"], call["delivered_at"]) == (500, 1, None)
    assert send(api) == 1
    assert send(api) == 0

    (call,) = calls(participant, hook)
    assert (call["status"], call["attempts"], call["delivered_at"] is None) == (204, 2, False)
    assert there.types == ["announcement.posted"] * 2
    (_, first, body), (_, second, again) = there.came
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert json.loads(body)["data"] | {"announcement": ""} == {
        "competition": "cup",
        "page": "/competitions/cup/announcements",
        "announcement": "",
        "title": "Hot news",
    }
    key = b64decode(hook["secret"].removeprefix("whsec_"))
    content = f"{second['webhook-id']}.{second['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert second["webhook-signature"] == f"v1,{expected}"


def test_the_competitions_webhook_hears_of_every_team_and_ones_own_of_ones_own(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, there: Receiver
) -> None:
    with receiver() as own:
        add(organiser, there.url, path=f"{CUP}/webhooks", kinds=["submission.accepted"])
        add(participant, own.url, kinds=["submission.accepted"])
        for caller in (participant, api.caller("eve")):
            assert caller.submit().status_code == 201
        tell(api)
        send(api)
        assert sorted(json.loads(body)["data"]["team"] for _, _, body in there.came) == ["ada", "eve"]
        assert [json.loads(body)["data"]["team"] for _, _, body in own.came] == ["ada"]


def test_a_redirect_is_not_followed_and_a_slow_answer_ends(
    api: Api, participant: Caller, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = add(participant, there.url)
    participant.post(f"{HOOKS}/{hook['id']}/test")
    there.answers = [302]
    send(api)
    assert [path for path, _, _ in there.came] == ["/hook"]
    assert calls(participant, hook)[0]["status"] == 302

    monkeypatch.setattr(reaching, "WITHIN_S", 0.5)
    there.drip = True
    send(api)
    assert calls(participant, hook)[0]["problem"] == "no answer within 0.5 s"


def test_who_answers_gone_is_not_called_until_tested_again(api: Api, participant: Caller, there: Receiver) -> None:
    hook = add(participant, there.url)
    there.answers = [410]
    participant.post(f"{HOOKS}/{hook['id']}/test")
    send(api)
    (shown,) = participant.get(HOOKS).json()["items"]
    assert shown["disabled_at"] is not None
    (call,) = calls(participant, hook)
    assert (call["given_up_at"] is None, send(api)) == (False, 0)

    repeated = participant.post(f"{HOOKS}/{hook['id']}/calls/{call['id']}/repeat")
    assert repeated.status_code == 200
    assert code(participant.post(f"{HOOKS}/{hook['id']}/calls/{call['id']}/repeat")) == "call_waits"
    send(api)
    assert there.came[0][1]["webhook-id"] == there.came[1][1]["webhook-id"]
    assert participant.get(HOOKS).json()["items"][0]["disabled_at"] is None


def test_what_was_tried_for_four_days_is_given_up_and_the_webhook_disabled(
    api: Api, participant: Caller, there: Receiver
) -> None:
    hook = add(participant, there.url)
    participant.post(f"{HOOKS}/{hook['id']}/test")
    with api.database.write() as session:
        session.execute(update(Outgoing).values(created_at=utc_now() - timedelta(days=5)))
    send(api)
    assert there.came == []
    assert calls(participant, hook)[0]["given_up_at"] is not None
    assert participant.get(HOOKS).json()["items"][0]["disabled_at"] is not None


def test_there_is_an_end_of_webhooks_and_one_cannot_touch_others(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    found = [add(participant, f"https://example.org/{number}") for number in range(10)]
    assert code(participant.post(HOOKS, json={"url": "https://example.org/11"})) == "too_many_webhooks"
    eve = api.caller("eve")
    for path in (f"{HOOKS}/{found[0]['id']}/test", f"{HOOKS}/{found[0]['id']}/calls/{found[0]['id']}/repeat"):
        assert eve.post(path).status_code == 404
    assert organiser.post(f"{CUP}/webhooks/{found[0]['id']}/test").status_code == 404
    assert eve.post(f"{CUP}/webhooks", json={"url": "https://example.org"}).status_code == 403
    for one in found:
        assert participant.request("DELETE", f"{HOOKS}/{one['id']}").status_code == 204
    with api.database.read() as session:
        assert session.scalars(select(Webhook)).all() == []
        assert session.scalars(select(HookCall)).all() == []


def test_what_waits_for_a_removed_webhook_is_dropped(api: Api, participant: Caller, there: Receiver) -> None:
    hook = add(participant, there.url)
    participant.post(f"{HOOKS}/{hook['id']}/test")
    participant.request("DELETE", f"{HOOKS}/{hook['id']}")
    send(api)
    assert there.came == []
    with api.database.read() as session:
        assert session.scalars(select(Outgoing).where(Outgoing.kind == OutgoingKind.HOOK_CALL)).all() == []


def test_addresses_that_are_never_called_are_refused(tmp_path: Path, database_url: str) -> None:
    with running(make_settings(tmp_path, database_url)) as api:
        participant = api.caller("ada")
        for url in NEVER_CALLED:
            assert code(participant.post(HOOKS, json={"url": url})) == "bad_webhook", url


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        *((one, False) for one in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0")),
        *((one, False) for one in ("100.64.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0")),
        *((one, False) for one in ("fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1")),
    ],
)
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_name_that_leads_to_a_private_address_is_not_called(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged when the connection is made, to the very address that it goes to."""
    url = there.url.replace("127.0.0.1", "localhost")
    with pytest.raises(PrivateAddress):
        reaching.post(url, b"{}", {}, to_private=False)
    assert there.came == []
    with pytest.raises(NotReached):
        reaching.post("http://127.0.0.1:1/", b"{}", {}, to_private=True)
