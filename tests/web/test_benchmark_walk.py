"""A benchmark by the page: an organiser uploads it over a broken line, an operator reads its code and publishes it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from services.core.bundle.archive import export_bundle
from tests.bundles import make_tiny_bundle
from tests.web.browsing import NARROW, Complaints, accessibility_faults, overflow_px, settle, sign_in
from tests.web.gallery import OPERATOR, ORGANISER, PARTICIPANT, Gallery


def _open(gallery: Gallery, context: BrowserContext, who: str) -> Page:
    sign_in(context, gallery.url, gallery.tokens[who])
    page = context.new_page()
    page.goto(f"{gallery.url}/benchmarks")
    return page


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "carried.tar"
    export_bundle(make_tiny_bundle(tmp_path / "carried", oracle_seeds=8, called="carried"), path)
    return path


def test_a_benchmark_comes_in_by_the_page(
    gallery: Gallery, new_context: Callable[..., BrowserContext], archive: Path, complaints: Complaints
) -> None:
    page = _open(gallery, new_context(), ORGANISER)
    cut: list[str] = []

    def break_once(route: Route) -> None:
        if cut:
            route.continue_()
        else:
            cut.append(route.request.url)
            route.abort()

    page.route("**/parts/**", break_once)
    page.get_by_label("Exported benchmark").set_input_files(archive)
    page.get_by_role("button", name="Upload the benchmark").click()
    expect(page.get_by_text("All of it has arrived")).to_be_visible()
    assert len(cut) == 1
    complaints.found.clear()  # of the line that was cut
    expect(page.get_by_text("It is whole. It waits for consent.")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)

    keeper = _open(gallery, new_context(), OPERATOR)
    keeper.get_by_role("button", name="Read the code").click()
    expect(keeper.get_by_text("def build()")).to_be_visible()
    settle(keeper)
    assert accessibility_faults(keeper) == []
    keeper.set_viewport_size({"width": NARROW, "height": 800})
    assert overflow_px(keeper) == 0
    keeper.get_by_role("button", name="Publish").click()
    keeper.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(keeper.get_by_text("Phases can use it.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Phases can use it.")).to_be_visible()
    expect(page.get_by_role("rowheader", name="carried")).to_be_visible()


def test_a_participant_has_no_business_there(gallery: Gallery, new_context: Callable[..., BrowserContext]) -> None:
    page = _open(gallery, new_context(), PARTICIPANT)
    expect(page.get_by_text("This page needs the role organiser")).to_be_visible()
