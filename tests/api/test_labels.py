"""Names that stand in a line with other text: whatever one sees is allowed, and stays text in tables and bars."""

from typing import Any

import pytest
from sqlalchemy import func, select

from services.cli.console import leaderboard_table, print_table
from services.core.models import Phase, Submission
from tests.api.harness import Api, Caller

STEERING = ["a\x1b[2Jb", "a\nb", "a\x9b2Jb", "a\u202eb", "a\u2066b", "a\u2028b"]
UNSEEN = [
    f"a{character}b"
    for character in "\xad\u034f\u115f\u180e\u200b\u200d\u200f\u2060\u2800\u3164\ufe0f\ufeff\uffa0\U000e0041"
]
TEXTS = ["été 忘却 שכחה", "[/red] [bold]b[/bold]", ":smile: {x} %s", "🙈 a\xa0b"]


@pytest.mark.parametrize("label", STEERING + UNSEEN, ids=ascii)
def test_what_one_does_not_see_is_refused_by_name(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, label: str
) -> None:
    answers = [
        participant.submit(name=label),
        participant.submit(filename=f"{label}.py"),
        participant.post("/api/me/tokens", json={"name": label, "expires_in_days": 7}),
        organiser.post("/api/competitions", json={"slug": "other", "title": label}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 4
    steering = next(character for character in label if character not in "ab")
    assert all(f"control characters (found U+{ord(steering):04X})" in answer.text for answer in answers)
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 0


def test_a_blank_name_is_none_and_spaces_around_a_name_are_left_out(phase: Phase, participant: Caller) -> None:
    assert participant.submit(name=" \u3000 ").status_code == 422
    assert participant.submit(name=" a b ").json()["name"] == "a b"


@pytest.mark.parametrize("client", ["\x9b2J", "\xad", "curl\xad/8\x9b2J"], ids=ascii)
def test_a_session_is_named_by_what_one_sees_of_its_client(api: Api, client: str) -> None:
    """The header that a client names itself with can hold any byte from 0x80 on."""
    credentials = {"username": "ada", "password": "correct horse battery"}
    api.anonymous.post("/api/accounts", json=credentials)
    answer = api.anonymous.post("/api/sessions", json=credentials, headers={"User-Agent": client.encode("latin-1")})

    [listed] = Caller(api.client, answer.json()["token"]).get("/api/me/tokens").json()["items"]
    assert listed["name"].isprintable() and not {"\x9b", "\xad"} & set(listed["name"])


@pytest.mark.parametrize("label", TEXTS, ids=ascii)
def test_every_other_text_is_a_name_and_printed_as_it_is(
    phase: Phase, participant: Caller, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert participant.submit(name=label).json()["name"] == label
    entry: dict[str, Any] = {
        "rank": 1,
        "tie_group": 1,
        "reference": "none",
        "entry": label,
        "seeds": 8,
        **dict.fromkeys(("forgetting_quality", "utility", "final_score", "ci_low", "ci_high", "run_s"), 0.5),
    }
    leaderboard_table([entry], title=label)
    print_table(["team"], [[label]], title="moves", words={"team"})
    assert capsys.readouterr().out.count(label) == 3


def test_no_number_of_a_leaderboard_is_cut_however_long_a_name_is(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = {"forgetting_quality": 0.1234, "utility": 0.987, "final_score": 0.1218, "ci_low": 0.1, "ci_high": 0.2}
    entry = numbers | {"rank": 12, "tie_group": 3, "reference": "none", "entry": "name " * 60, "seeds": 512}
    leaderboard_table([entry | {"run_s": 123.456, "time_ratio": 0.05}], title="Board")
    printed = capsys.readouterr().out
    assert "…" not in printed
    for cell in ("of retraining", "0.1234", "0.987", "0.1218", "0.1000 – 0.2000", " 512 ", "123.456", " 5% "):
        assert cell in printed
