"""Names that stand in a line with other text: whatever one sees is allowed, and stays text in tables and bars."""

from typing import Any

import pytest
from sqlalchemy import func, select

from services.cli.console import leaderboard_table, print_table
from services.core.models import Phase, Submission
from tests.api.harness import Api, Caller

STEERING = ["a\x1b[2Jb", "a\nb", "a\x9b2Jb", "a\u202eb", "a\u2066b", "a\u2028b"]
TEXTS = ["été 忘却 שכחה", "[/red] [bold]b[/bold]", ":smile: {x} %s", "a\u200fb"]


@pytest.mark.parametrize("label", STEERING, ids=ascii)
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
