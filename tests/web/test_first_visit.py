"""What a first visit loads, so that the first page comes fast wherever one is."""

import gzip

from playwright.sync_api import Page, Response

from tests.web.browsing import settle
from tests.web.gallery import Gallery

LIMIT_BYTES = 150_000  # compressed, of the app itself: charts and other pages stay out


def test_first_page_is_small(page: Page, gallery: Gallery) -> None:
    loaded: dict[str, Response] = {}
    page.on("response", lambda response: loaded.update({response.url: response}))
    page.goto(gallery.url)
    settle(page)
    sizes = {url: len(gzip.compress(one.body())) for url, one in loaded.items() if "/api/" not in url}
    assert any(url.endswith(".js") for url in sizes)
    assert sum(sizes.values()) <= LIMIT_BYTES, sizes
