"""The tables of docs/baselines.md, to the letter."""

from services.cli.demo import baseline_files
from studies.baselines.published import PAPERS, SCORES, Paper, Published
from studies.baselines.tables import (
    BoardRow,
    ScenarioRow,
    Spread,
    board_table,
    failures,
    published_table,
    scenario_table,
)

RETRAIN = BoardRow(
    entry="retrain",
    reference=True,
    forgetting_quality=0.2,
    relative_quality=0.98765,
    bound=0.0,
    utility=1.0,
    final_score=0.2,
    low=0.18,
    high=0.22,
    models=512,
    run_s=0.5,
    time_ratio=1.0,
    unranked="reference",
)
SCRUB = BoardRow(
    entry="scrub",
    rank=1,
    tie_group=1,
    forgetting_quality=0.05,
    relative_quality=0.25,
    bound=1.5,
    utility=0.99,
    final_score=0.0495,
    low=0.04,
    high=0.06,
    models=512,
    run_s=0.0123,
    time_ratio=0.0246,
)
SLOW = BoardRow(entry="slow", unranked="too_slow", models=8, time_ratio=1.5)
BROKEN = BoardRow(entry="broken", failure="timeout", message="ran for\n120 s | and more")


def test_a_board_shows_ranks_intervals_and_failures() -> None:
    assert board_table([RETRAIN, SCRUB, SLOW, BROKEN]).splitlines() == [
        "| rank | tie | entry | F | F / ceiling | epsilon ≥ | utility | final score | 95% interval | models |"
        " s a run | of retraining |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| – | – | `retrain` (reference) | 0.2000 | 0.988 | 0.00 | 1.000 | 0.2000 | 0.1800 to 0.2200 | 512 | 0.500 |"
        " 100% |",
        "| 1 | 1 | `scrub` | 0.0500 | 0.250 | 1.50 | 0.990 | 0.0495 | 0.0400 to 0.0600 | 512 | 0.012 | 2% |",
        "| – | – | `slow` (too slow) | 0.0000 | – | – | 0.000 | 0.0000 | 0.0000 to 0.0000 | 8 | 0.000 | 150% |",
        "| – | – | `broken` | failed: timeout |  |  |  |  |  |  |  |  |",
    ]


def test_failures_are_told_on_one_line_each() -> None:
    assert failures([SCRUB, BROKEN]) == "- `broken`: timeout: ran for 120 s | and more"
    assert failures([SCRUB]) == ""
    assert len(failures([BoardRow(entry="long", failure="exception", message="x" * 999)])) < 240


def test_published_numbers_stand_beside_what_differs() -> None:
    published = [Published("a", "0.05", "a board", "other | data"), Published("a", "0.06", "a paper", "N")]
    assert published_table(["a", "b"], published).splitlines() == [
        "| entry | published | where | what differs |",
        "| --- | --- | --- | --- |",
        "| `a` | 0.05 | a board | other \\| data |",
        "| `a` | 0.06 | a paper | N |",
        "| `b` | – | – | no published F |",
    ]


def test_a_scenario_shows_shares_in_per_cent_with_their_deviation() -> None:
    one = ScenarioRow(
        entry="ssd",
        test_retained=Spread(0.9, 0.01),
        test_forgotten=Spread(0.1, 0.0),
        retain=Spread(1.0, 0.0),
        forget=Spread(0.25, 0.125),
        mia=Spread(0.5),
        zrf=Spread(0.75, 0.001),
        run_s=0.25,
    )
    at_random = ScenarioRow(entry="oracle", test_retained=Spread(0.9), forget=Spread(0.8), zrf=None)
    failed = ScenarioRow(entry="unsir", failure="exception")
    table = scenario_table([one, at_random, failed], Paper("CIFAR", {"ssd": "1 / 2 / 3, 4 s"}))
    assert table.splitlines() == [
        "| method | D_r, % | D_f, % | retain set, % | forget set, % | MIA, % | ZRF | s a run |"
        " CIFAR: D_r / D_f / MIA, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| `ssd` | 90.0 ± 1.0 | 10.0 ± 0.0 | 100.0 ± 0.0 | 25.0 ± 12.5 | 50.0 | 0.750 ± 0.001 | 0.250 |"
        " 1 / 2 / 3, 4 s |",
        "| `oracle` | 90.0 | 80.0 | – | 80.0 | – | – | – | – |",
        "| `unsir` | failed: exception |  |  |  |  |  |  | – |",
    ]


def test_published_numbers_are_of_entries_there_are() -> None:
    names = {path.stem for path in baseline_files()}
    assert {one.entry for one in SCORES} <= names
    assert {name for paper in PAPERS.values() for name in paper.values} <= names | {"original"}
