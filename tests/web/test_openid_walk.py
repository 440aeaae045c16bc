"""Somebody without an account follows an invitation, signs up at a real provider, and is led back to the team."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from services.core.models import Role
from tests.api.harness import add_phase, make_settings, running, serving
from tests.api.openid import real_provider
from tests.api.teams import create, link
from tests.installation import free_port


def test_an_invitation_survives_the_way_through_a_provider(
    tmp_path: Path, sqlite_url: str, built: Path, new_context: Callable[..., BrowserContext]
) -> None:
    del built
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        issuer = stack.enter_context(real_provider())
        secret = tmp_path / "client-secret"
        secret.write_text("a secret")
        uni = {"name": "uni", "title": "University", "issuer": issuer, "client_id": "lethe"}
        uni["client_secret_file"] = str(secret)
        settings = make_settings(tmp_path, sqlite_url, oidc=[uni], public_url=public_url)
        api = stack.enter_context(running(settings))
        organiser, ada = api.caller("organiser", Role.ORGANISER), api.caller("ada")
        assert organiser.account is not None
        with api.database.write() as session:
            add_phase(session, organiser.account)
        code = link(ada, create(ada, "gulls"))
        stack.enter_context(serving(settings, port))

        page = new_context().new_page()
        _spare_the_network(page)
        page.goto(f"{public_url}/join#{code}")
        page.get_by_role("main").get_by_role("link", name="Sign in").click()
        page.get_by_role("button", name="Continue with University").click()
        page.locator("input[name=sub]").fill("cid@university")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_label("Username").fill("cid")
        page.get_by_role("button", name="Create account").click()
        page.get_by_role("button", name="Join gulls").click()
        expect(page.get_by_role("heading", name="gulls", level=1)).to_be_visible()
        expect(page.get_by_role("region", name="Members").last).to_contain_text("cid")
        assert code not in page.evaluate("JSON.stringify(sessionStorage)")  # it was kept for the way only


def _spare_the_network(page: Page) -> None:
    """Answer what the provider's own page asks of other sites, and the icon that it lacks."""
    for address, kind in ((re.compile(r"//cdn\."), "text/css"), (re.compile(r"localhost:\d+/favicon"), "image/x-icon")):
        page.route(address, lambda route, kind=kind: route.fulfill(body="", content_type=kind))
