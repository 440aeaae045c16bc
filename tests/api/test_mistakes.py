"""What a request has wrong is told in words of people, not of a validator."""

from typing import Any

import pytest

from services.core.models import Phase, Role
from tests.api.harness import Api

PHASE = {"slug": "x", "kind": "check", "benchmark": "tiny", "closes_at": "2100-01-01T00:00:00Z"}
SPEECH = ("Value error", "Input should", "Field required", "body.", "path.", "query.", "String should", "pattern")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"closes_at": "2000-01-01T00:00:00Z", "opens_at": "2001-01-01T00:00:00Z"}, "closes_at must be later"),
        ({"closes_at": "2100-01-01"}, "closes_at: must have a time zone"),
        ({"seeds": "many"}, "seeds: must be a whole number"),
        ({"sedes": 8}, "sedes: is not known here"),
        ({"slug": None}, "slug: use 1 to 63"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(
    api: Api, phase: Phase, changes: dict[str, Any], said: str
) -> None:
    root = api.caller("root", Role.OPERATOR)
    detail = root.post("/api/competitions/cup/phases", json=PHASE | changes).json()["detail"]
    assert said in detail, detail
    assert not any(words in detail for words in SPEECH), detail


def test_a_wrong_id_is_told_to_be_none(api: Api, phase: Phase) -> None:
    detail = api.caller("root", Role.OPERATOR).get("/api/submissions/first").json()["detail"]
    assert detail.startswith("submission_id: must be an id")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"content": b"{name: ada}", "headers": {"content-type": "application/json"}}, "The body must be JSON."),
        ({}, "The body is missing."),
        ({"json": {"username": "ada", "password": "short"}}, "password: use at least 10 characters, and at most 200."),
    ],
)
def test_the_sentence_says_what_to_write_and_nothing_before_it(api: Api, sent: dict[str, Any], said: str) -> None:
    assert api.anonymous.post("/api/accounts", **sent).json()["detail"] == said
