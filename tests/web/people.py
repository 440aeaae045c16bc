"""People who hold a contest by clicks, each before a browser of their own."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from services.cli.client import Client
from tests.web.browsing import NARROW, WIDE, accessibility_faults, overflow_px, settle

__all__ = ["Person"]


@dataclass
class Person:
    """Somebody before a browser. Who has an account can also be heard by API."""

    name: str
    page: Page
    url: str
    contest: str  # its slug
    api: Client | None = None

    def goes(self, part: str = "") -> None:
        """Open a part of the contest."""
        self.page.goto(f"{self.url}/competitions/{self.contest}{part}")
        expect(self.page.get_by_role("navigation", name="Competition")).to_be_visible()

    def clicks(self, name: str, within: Page | Locator | None = None) -> None:
        """Press a button that nobody asks about."""
        (within or self.page.get_by_role("main")).get_by_role("button", name=name, exact=True).click()

    def confirms(self, act: str, *, reason: str | None = None, within: Locator | None = None) -> None:
        """Press a button, give the reason that its dialogue asks for, and go through with it."""
        self.clicks(act, within)
        dialog = self.page.get_by_role("dialog")
        if reason is not None:
            dialog.get_by_label("Reason").fill(reason)
        self.clicks(act, dialog)
        expect(dialog).to_have_count(0)

    def follows(self, name: str) -> None:
        """Take a way between the parts of the contest."""
        self.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()

    def looks_well(self) -> None:
        """Whatever stands here must be read on a small screen, and by those who do not see."""
        self.page.set_viewport_size({"width": NARROW, "height": 800})
        settle(self.page)
        assert overflow_px(self.page) <= 0
        assert accessibility_faults(self.page) == []
        self.page.set_viewport_size({"width": WIDE, "height": 800})
