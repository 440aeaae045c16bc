"""A board that is longer than what is loaded of it: readers see where they stand all the same."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from services.core.models import BenchmarkRow
from tests.web.conftest import Visit
from tests.web.gallery import PARTICIPANT, Gallery, Place

LONG = "/competitions/crowded/leaderboard"
COMPLAINT, REASON = "The placebo ratio is 2.00, below 3.", "The evaluation of 2023 had the same ratio."


@pytest.fixture
def unfit(gallery: Gallery) -> Iterator[None]:
    """The benchmark of all exhibits, published although it is unfit."""
    with gallery.database.write() as session:
        row = session.scalars(select(BenchmarkRow)).one()
        fit = row.manifest
        row.manifest = fit | {"accepted_unfit": REASON, "fitness": fit["fitness"] | {"problems": [COMPLAINT]}}
    yield
    with gallery.database.write() as session:
        session.scalars(select(BenchmarkRow)).one().manifest = fit


@pytest.mark.usefixtures("unfit")
def test_a_benchmark_that_is_used_although_unfit_says_why(visit: Visit) -> None:
    page = visit(Place("long board", LONG, PARTICIPANT))
    expect(page.get_by_role("note").filter(has_text="judged this benchmark unfit")).to_contain_text(REASON)
    page = visit(Place("rules", "/competitions/crowded/rules"))
    expect(page.get_by_text(COMPLAINT)).to_be_visible()
    expect(page.get_by_text(REASON)).to_be_visible()


def test_own_row_stands_above_a_board_too_long_to_show(visit: Visit) -> None:
    page = visit(Place("long board", LONG, PARTICIPANT))
    rows = page.get_by_role("row")
    own = rows.filter(has_text="you")
    expect(page.get_by_text("121 entries, ranked by neurips-2023")).to_contain_text("Showing the first 100.")
    expect(page.get_by_text(f"{PARTICIPANT} has rank 121.")).to_be_visible()
    expect(page.get_by_text("Diamonds are your entries.")).to_be_visible()
    expect(rows).to_have_count(1 + 1 + 100)
    expect(rows.nth(1)).to_contain_text(PARTICIPANT)

    page.get_by_role("button", name="Show more").click()

    expect(rows).to_have_count(1 + 121)
    expect(own).to_have_count(1)
    expect(rows.last).to_contain_text(PARTICIPANT)
    expect(page.get_by_text("Showing the first")).to_have_count(0)


def test_board_pins_nothing_for_those_who_are_not_on_it(visit: Visit) -> None:
    page = visit(Place("long board", LONG))
    expect(page.get_by_text("The chart shows the same")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(1 + 100)
    expect(page.get_by_text("Diamonds are your entries.")).to_have_count(0)
