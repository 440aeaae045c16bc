"""What tests and screenshots do with a browser beyond clicking: start it, sign in, listen, and ask axe."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, CDPSession, ConsoleMessage, FilePayload, Page, WebError, expect

from services.api.kit.auth import COOKIE
from tests.real_services import missing

__all__ = [
    "CHROMIUM_FLAGS",
    "ENTRY",
    "NARROW",
    "PASSWORD",
    "PATIENCE_MS",
    "WIDE",
    "Complaints",
    "Open",
    "accessibility_faults",
    "chromium",
    "file",
    "overflow_px",
    "settle",
    "sign_in",
]

Open = Callable[[str | None, str], Page]  # who looks (None: a stranger), and the path
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PASSWORD = "correct horse battery"
ENTRY = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
WIDE, NARROW = 1200, 360
PATIENCE_MS = 30_000  # of every click and look, since other work may hold the machine

ANSWERED = re.compile(r"Failed to load resource: .*(status of 4\d\d|net::ERR_)")
UNCOUNTED = re.compile(r"/api/.*/final/preview$")  # answers 503 until the final is counted


def chromium() -> str:
    """Find Chromium on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None) or missing("Chromium", "apt-get install chromium")


@dataclass
class Complaints:
    """What pages said to the console that they should not have to say.

    A call of the API that is refused, not ready, or does not arrive is part of a page's life; Chromium names each.
    """

    found: list[str] = field(default_factory=list)

    def listen_to(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _on_console(self, message: ConsoleMessage) -> None:
        url = message.location["url"]
        is_answer = "/api/" in url and ANSWERED.match(message.text)
        is_early = UNCOUNTED.search(url) and "status of 503" in message.text
        if message.type in {"error", "warning"} and not (is_answer or is_early):
            self.found.append(f"{message.type} at {url}: {message.text}")

    def _on_error(self, error: WebError) -> None:
        self.found.append(f"uncaught: {error.error}")


def sign_in(context: BrowserContext, url: str, token: str) -> None:
    """Give a context the cookie of somebody's session."""
    context.add_cookies([{"name": COOKIE, "value": token, "url": url, "httpOnly": True, "sameSite": "Lax"}])


def settle(page: Page) -> None:
    """Wait until a page has its title, and nothing on it is loading or to be drawn any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(re.compile("^Loading "))).to_have_count(0)
    expect(page.locator("figure:not(:has(svg))").filter(visible=True)).to_have_count(0)
    page.wait_for_load_state("networkidle")


def file(name: str, content: str | bytes) -> FilePayload:
    """Make a file to choose or drop."""
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def overflow_px(page: Page) -> int:
    """By how much the page is wider than its window."""
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


def accessibility_faults(page: Page) -> list[str]:
    """Run all rules of axe on a page as it stands; name each rule that was broken, and where.

    Every rule runs, but of what was kept axe names no places: on our pages that took longer than the rules.
    """
    session = page.context.new_cdp_session(page)
    # The debugger's door, which unlike `eval` is open under the page's own content security policy.
    if not _ask(session, "'axe' in window"):
        session.send("Runtime.evaluate", {"expression": AXE_SCRIPT, "silent": True})
    answer = _ask(session, "axe.run({resultTypes: ['violations']}).then((found) => JSON.stringify(found.violations))")
    session.detach()
    violations: list[dict[str, Any]] = json.loads(answer)
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in violations for node in one["nodes"]]


def _ask(session: CDPSession, expression: str) -> Any:
    asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
    return session.send("Runtime.evaluate", asked)["result"]["value"]
