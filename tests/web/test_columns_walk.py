"""An organiser chooses by the page which secondary columns a leaderboard shows, and a visitor sees them."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.web.browsing import NARROW, accessibility_faults, overflow_px, settle, sign_in
from tests.web.gallery import ORGANISER, Gallery

BOARD = "/competitions/digits/leaderboard?phase=feedback"


def test_an_organiser_chooses_the_columns_of_a_board(
    gallery: Gallery, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context()
    sign_in(context, gallery.url, gallery.tokens[ORGANISER])
    page = context.new_page()
    page.goto(f"{gallery.url}/competitions/digits/organise?phase=feedback")
    group = page.get_by_role("group", name="Columns of the leaderboard")
    for column in ("u-lira.accuracy", "u-lira.auc"):
        group.get_by_label("Add a column").select_option(column)
    group.get_by_role("button", name="Move Attack AUC forward").click()
    expect(group.get_by_role("listitem").first).to_contain_text("Attack AUC")
    settle(page)
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert overflow_px(page) == 0
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    board = new_context().new_page()
    board.goto(gallery.url + BOARD)
    expect(board.get_by_role("columnheader").nth(3)).to_have_text("Attack AUC")
    expect(board.get_by_role("columnheader").nth(4)).to_have_text("Attack accuracy")
    expect(board.get_by_label("Columns")).to_have_value("phase")
    board.get_by_label("Columns").select_option("parts")
    expect(board.get_by_role("columnheader").nth(3)).to_have_text("F")

    page.set_viewport_size({"width": 1280, "height": 800})
    for name in ("Attack AUC", "Attack accuracy"):
        group.get_by_role("button", name=f"Remove {name}").click()
    with page.expect_response(lambda answer: answer.request.method == "PUT") as saved:
        page.get_by_role("button", name="Save changes").click()
    assert saved.value.ok
    board.goto(gallery.url + BOARD)
    expect(board.get_by_label("Columns")).to_have_value("parts")
