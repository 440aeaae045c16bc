"""A real Chromium, and what it looks at: a whole installation, and an API whose database holds every kind of row.

Whatever a page writes to the console as an error fails the test that opened it; breaches of the content security
policy are among that.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from services.api.web import BUILT
from services.core.settings import SandboxKind
from tests.installation import Installation, running_installation
from tests.real_services import missing
from tests.web.browsing import CHROMIUM_FLAGS, PATIENCE_MS, WIDE, Complaints, Open, chromium, sign_in
from tests.web.gallery import Gallery, Place, open_gallery

NewContext = Callable[..., BrowserContext]
Visit = Callable[[Place], Page]
Profile = tuple[BrowserContext, Complaints]


@pytest.fixture(scope="session")
def base_url() -> None:
    """Two servers are looked at here, so no address stands for all. (The plugin's own is made as pytest deprecates.)"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium. It runs pages of ours alone, so it may go without the sandbox that containers lack."""
    return browser_type_launch_args | {"executable_path": chromium(), "args": CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Nothing moves, so that a colour is not looked at while it changes."""
    return browser_context_args | {"reduced_motion": "reduce", "timezone_id": "Europe/Berlin", "locale": "en-GB"}


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard.found == []


@pytest.fixture
def new_context(new_context: NewContext, complaints: Complaints) -> NewContext:
    """Make contexts, `page` and `context` among them, whose pages are listened to."""

    expect.set_options(timeout=PATIENCE_MS)

    def listened(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        complaints.listen_to(context)
        context.on("page", expect_choosers)
        return context

    return listened


def expect_choosers(page: Page) -> None:
    """Let the browser know from the start: turned on by the test that waits for one, it may come too late."""
    page.on("filechooser", lambda _: None)


@pytest.fixture(scope="session")
def built() -> Path:
    """The built web app."""
    if not (BUILT / "index.html").is_file():
        missing("The built web app", "make frontend/dist/index.html")
    return BUILT


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, built: Path, sandbox_image: str) -> Iterator[Installation]:
    """A whole installation with a sandbox, where strangers may sign up."""
    del built, sandbox_image
    with running_installation(tmp_path_factory.mktemp("served"), SandboxKind.DOCKER) as running:
        yield running


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Gallery]:
    """An API whose database holds something for every page, and where nothing moves by itself."""
    del built
    with open_gallery(tmp_path_factory.mktemp("gallery")) as opened:
        yield opened


@pytest.fixture(scope="module")
def profiles(
    browser: Browser, browser_context_args: dict[str, Any], gallery: Gallery
) -> Iterator[Callable[[str | None], Profile]]:
    """Find the browser's profile of whoever looks, for pages that are only read: its cache is warm after the first."""
    with ExitStack() as opened:

        @cache
        def profile(who: str | None) -> Profile:
            context = browser.new_context(**browser_context_args, viewport={"width": WIDE, "height": 800})
            opened.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            heard = Complaints()
            heard.listen_to(context)
            if who:
                sign_in(context, gallery.url, gallery.tokens[who])
            return context, heard

        yield profile


@pytest.fixture
def read(gallery: Gallery, profiles: Callable[[str | None], Profile]) -> Iterator[Visit]:
    """Open a page as `visit` does, in a profile that other tests read in, too."""
    expect.set_options(timeout=PATIENCE_MS)
    with ExitStack() as opened:

        def reading(place: Place) -> Page:
            context, heard = profiles(place.who)
            heard.found.clear()
            page = context.new_page()
            opened.callback(page.close)
            gallery.show(page, place)
            opened.callback(_expect_silence, heard)
            return page

        yield reading


def _expect_silence(heard: Complaints) -> None:
    assert heard.found == []


@pytest.fixture
def visit(gallery: Gallery, new_context: NewContext) -> Visit:
    """Open a page of the gallery as whoever looks at it, and wait until all of it is there."""

    def visited(place: Place) -> Page:
        context = new_context(viewport={"width": WIDE, "height": 800})
        if place.who:
            sign_in(context, gallery.url, gallery.tokens[place.who])
        page = context.new_page()
        gallery.show(page, place)
        return page

    return visited


@pytest.fixture
def open_as(gallery: Gallery, new_context: NewContext) -> Open:
    """Open a page of the gallery in a new browser, as somebody or as a stranger."""

    def open_as(who: str | None, path: str) -> Page:
        context = new_context()
        if who is not None:
            sign_in(context, gallery.url, gallery.tokens[who])
        page = context.new_page()
        page.goto(gallery.at(path))
        return page

    return open_as
