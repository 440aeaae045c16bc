"""A leaderboard as CSV, as of any date and part by part; the rank of a team as a picture."""

import csv
import io
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree.ElementTree import fromstring

from services.core.models import Phase, Reference, Score, Submission
from tests.api.harness import BOARD, Api
from tests.api.scores import put

TABLE = f"{BOARD}.csv"


def rows_of(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_leaderboard_is_a_table_as_of_any_date(api: Api, phase: Phase) -> None:
    put(api, phase, "a", 0.3)
    put(api, phase, "b", 0.2)
    before = api.anonymous.get(BOARD).json()
    put(api, phase, "c", 0.4)
    put(api, phase, "floor", 0.1, reference=Reference.IDENTITY)

    answer = api.anonymous.get(TABLE)

    rows = rows_of(answer.text)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [(row["rank"], row["entry"], float(row["final_score"])) for row in rows] == [
        ("1", "c", 0.4),
        ("2", "a", 0.3),
        ("3", "b", 0.2),
        ("", "floor", 0.1),
    ]
    assert rows[3]["unranked_reason"] == "reference"
    assert "Link" not in answer.headers
    earlier = rows_of(api.anonymous.get(TABLE, params={"as_of": before["as_of"]}).text)
    assert [row["entry"] for row in earlier] == ["a", "b"]


def test_a_table_has_the_columns_that_the_phase_chose(api: Api, phase: Phase) -> None:
    entry = put(api, phase, "a", 0.3)
    put(api, phase, "b", 0.2)
    with api.database.write() as session:
        session.get_one(Score, entry.score_id).suites = {"ssd": {"zrf": 0.25, "mia": 0.5}}
        session.get_one(Phase, phase.id).columns = ["ssd.zrf", "klom.forget_mean"]
    text = api.anonymous.get(TABLE).text
    assert text.splitlines()[0].endswith(",submitted_at,ssd.zrf,klom.forget_mean")
    assert [(row["ssd.zrf"], row["klom.forget_mean"]) for row in rows_of(text)] == [("0.25", ""), ("", "")]


def test_a_long_table_comes_in_parts_of_one_moment(api: Api, phase: Phase) -> None:
    for number in range(5):
        put(api, phase, f"t{number}", 0.1 * (number + 1))
    answer = api.anonymous.get(TABLE, params={"limit": 2})
    put(api, phase, "late", 0.9)
    text = answer.text
    while link := answer.headers.get("Link"):
        query = dict(parse_qsl(urlsplit(link[1 : link.index(">")]).query))
        answer = api.anonymous.get(TABLE, params=query)
        text += answer.text
    assert [row["entry"] for row in rows_of(text)] == ["t4", "t3", "t2", "t1", "t0"]


def test_a_name_is_no_formula_in_a_spreadsheet(api: Api, phase: Phase) -> None:
    entry = put(api, phase, "a", 0.3)
    with api.database.write() as session:
        session.get_one(Submission, entry.submission_id).name = '=HYPERLINK("http://evil.example")'
    assert rows_of(api.anonymous.get(TABLE).text)[0]["submission"] == '\'=HYPERLINK("http://evil.example")'


def test_a_badge_shows_the_rank_of_a_team(api: Api, phase: Phase) -> None:
    for team, value in (("ada", 0.3), ("eve", 0.4)):
        put(api, phase, team, value)
    api.anonymous.keep_boards()
    path = "/api/competitions/cup/phases/feedback/badges"
    answer = api.anonymous.get(f"{path}/ada.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert fromstring(answer.content).get("aria-label") == "cup: rank 2"
    for nobody in ("nobody", "<script>", "%00"):
        found = api.anonymous.get(f"{path}/{nobody}.svg")
        assert found.status_code == 422 or fromstring(found.content).get("aria-label") == "cup: no rank"


def test_the_first_rows_of_a_board_are_drawn_to_be_embedded(api: Api, phase: Phase) -> None:
    for team, value in (("ada", 0.3), ("eve", 0.4), ("tim", 0.2)):
        put(api, phase, team, value)
    api.anonymous.keep_boards()
    with api.database.write() as session:
        session.get_one(Phase, phase.id).competition.title = "<script>alert(1)</script>"
    path = "/api/competitions/cup/phases/feedback/board.svg"
    answer = api.anonymous.get(path, params={"rows": 2})
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    drawn = fromstring(answer.content)
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "<script>alert(1)</script>: feedback"
    assert [text for text in texts if text in ("ada", "eve", "tim")] == ["eve", "ada"]
    assert (texts[1], texts[3], texts[-1]) == ("1", "0.4000", "3 entries")
    assert not list(drawn.iter("{http://www.w3.org/2000/svg}script"))
    assert api.anonymous.get(path, params={"rows": 51}).status_code == 422
