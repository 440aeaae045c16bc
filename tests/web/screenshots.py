"""Picture every page, as `make screenshots` does: in light, in dark and on a narrow screen, into var/screenshots.

The pages that the documentation shows are kept in docs/images/pages too, with few colours so that they stay small. The
rows are made up: see `gallery`.
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.web.browsing import CHROMIUM_FLAGS, NARROW, PATIENCE_MS, WIDE, chromium, sign_in
from tests.web.gallery import PLACES, Gallery, open_gallery

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "var" / "screenshots"
KEPT = ROOT / "docs" / "images" / "pages"
ColorScheme = Literal["light", "dark"]
LOOKS: tuple[tuple[str, ColorScheme, int], ...] = (
    ("light", "light", WIDE),
    ("dark", "dark", WIDE),
    ("narrow", "light", NARROW),
)
OF_DOCS = {
    "overview-light": "overview.png",
    "leaderboard-of-own-light": "leaderboard.png",
    "leaderboard-of-own-dark": "leaderboard-dark.png",
    "submission-running-light": "submission-running.png",
    "submission-scored-light": "submission-scored.png",
    "organise-light": "organise.png",
}
HEIGHT = 800
COLOURS, KMEANS = 96, 3  # that keep small marks their colour, too


def main(names: list[str]) -> None:
    """Picture the pages of these names, or all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory(prefix="lethe-screenshots-") as root,
        open_gallery(Path(root)) as gallery,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS) as browser,
    ):
        for look in LOOKS:
            _picture_all(browser, gallery, look, names)
    _keep_those_of_docs()


def _picture_all(browser: Browser, gallery: Gallery, look: tuple[str, ColorScheme, int], names: list[str]) -> None:
    name_of_look, scheme, width = look
    for who in sorted({place.who or "" for place in PLACES}):
        context = _context(browser, scheme)
        if who:
            sign_in(context, gallery.url, gallery.tokens[who])
        for place in PLACES:
            if (place.who or "") == who and (not names or place.name in names):
                page = context.new_page()
                page.set_viewport_size({"width": width, "height": HEIGHT})
                gallery.show(page, place)
                # A window as high as the page: Playwright's way to picture all of it lays it out anew meanwhile.
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
                path = PICTURES / f"{place.name}-{name_of_look}.png"
                page.screenshot(path=path)
                page.close()
                sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        context.close()


def _context(browser: Browser, scheme: ColorScheme) -> BrowserContext:
    return browser.new_context(
        color_scheme=scheme,
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )


def _keep_those_of_docs() -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    for picture, name in OF_DOCS.items():
        path = PICTURES / f"{picture}.png"
        if path.is_file():
            with Image.open(path) as image:
                few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=KMEANS)
                few.save(KEPT / name, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
