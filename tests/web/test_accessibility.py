"""Every page by the rules of axe, in both themes; readable at 360 px and on paper; the way in by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import ENTRY, NARROW, PASSWORD, WIDE, accessibility_faults, file, overflow_px
from tests.web.conftest import Visit
from tests.web.gallery import PLACES, Gallery, Place

STOPS = 40  # of the tab key on one page, before what is looked for should have come
FOCUSED = """() => {
    const { activeElement: focused } = document;
    const own = focused.matches("main") ? "" : focused.textContent;  // of a page that was just entered
    const name = focused.labels?.[0]?.textContent ?? focused.getAttribute("aria-label") ?? own;
    return [name, focused.matches(":focus-visible") && getComputedStyle(focused).outlineStyle !== "none"];
}"""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_page_can_be_read_by_everybody(place: Place, read: Visit) -> None:
    page = read(place)
    for scheme, width in (("light", WIDE), ("dark", NARROW)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow_px(page) <= 0, f"wider than {width} px"
        assert accessibility_faults(page) == [], scheme
    page.emulate_media(media="print")
    assert page.locator("button, form").filter(visible=True).all_inner_texts() == []


def test_axe_sees_a_fault_where_there_is_one(visit: Visit) -> None:
    page = visit(Place("competitions", "/"))
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    (fault,) = accessibility_faults(page)
    assert fault.startswith("button-name")


def test_submission_is_made_by_keyboard_alone(page: Page, gallery: Gallery) -> None:
    """Tab and Enter, and what one types: from the first page to the page of the submission, the focus always seen."""
    username = gallery.add_participant()
    page.goto(gallery.url)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    expect(page.get_by_role("link", name="Forgetting handwritten digits")).to_be_visible()
    go_by_tab(page, "Skip to the content")
    go_by_tab(page, "Forgetting handwritten digits")
    enter(page)
    expect(page.get_by_role("link", name="Submit", exact=True)).to_be_visible()
    go_by_tab(page, "Submit")
    enter(page)
    expect(page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    go_by_tab(page, "Sign in")
    enter(page)
    go_by_tab(page, "Username")
    page.keyboard.type(username)
    go_by_tab(page, "Password")
    page.keyboard.type(PASSWORD)
    enter(page)
    expect(page.get_by_text("Drop your submission here")).to_be_visible()
    go_by_tab(page, "Drop your submission here")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file("by_hand.py", ENTRY))
    go_by_tab(page, "Submit")
    enter(page)
    expect(page.get_by_role("heading", name="by_hand", level=1)).to_be_visible()


def enter(page: Page) -> None:
    """Press Enter, and wait until the page that it leads to has the focus."""
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def go_by_tab(page: Page, name: str) -> None:
    """Press the tab key until the focus is on something of that name, and is seen wherever it stops."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        found, is_seen = page.evaluate(FOCUSED)
        assert is_seen, f"the focus on {found!r} cannot be seen"
        if name in found:
            return
    pytest.fail(f"{STOPS} stops of the tab key lead to no {name!r}")
