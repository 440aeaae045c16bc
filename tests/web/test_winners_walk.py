"""After a published final, by the page: an organiser verifies a finalist, and everybody reads the code."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import BrowserContext, expect
from sqlalchemy import update

from services.core.models import Competition, Role
from tests.api.finals import choose, end_runs, make_final, publish, start
from tests.api.harness import add_phase, make_settings, running, serving
from tests.api.rescoring import code, submit_scored
from tests.web.browsing import accessibility_faults, settle, sign_in


def test_a_finalist_is_verified_and_everybody_reads_its_code(
    tmp_path: Path, sqlite_url: str, new_context: Callable[..., BrowserContext]
) -> None:
    settings = make_settings(tmp_path, sqlite_url, allowed_hosts="*")
    with ExitStack() as stack:
        api = stack.enter_context(running(settings))
        organiser, ada = api.caller("organiser", Role.ORGANISER), api.caller("ada")
        assert organiser.account is not None
        assert organiser.token is not None
        assert ada.token is not None
        with api.database.write() as session:
            add_phase(session, organiser.account)
            session.execute(update(Competition).values(code_licence="MIT"))
        make_final(organiser)
        mine = submit_scored(api, ada, code(7), 0.5)
        served = stack.enter_context(serving(settings))
        context = new_context()
        sign_in(context, served.url, ada.token)
        page = context.new_page()
        page.goto(f"{served.url}/submissions/{mine}")
        page.get_by_label("Its code may be published under MIT if it wins").check()
        page.get_by_role("button", name="Enter it into final").click()
        expect(page.get_by_role("button", name="Take it back from final")).to_be_visible()
        assert choose(ada, mine).json()["entries"]
        start(api, organiser)
        end_runs(api, {"ada": 0.2})
        assert publish(organiser).status_code == 200

        of_organiser = new_context()
        sign_in(of_organiser, served.url, organiser.token)
        judge = of_organiser.new_page()
        judge.goto(f"{served.url}/competitions/cup/winners")
        judge.get_by_role("button", name="Verify").click()
        judge.get_by_role("dialog").get_by_label("Reason").fill("Read by two of us.")
        judge.get_by_role("dialog").get_by_role("button", name="Verify").click()

        expect(judge.get_by_text("code published")).to_be_visible()
        stranger = new_context().new_page()
        stranger.goto(f"{served.url}/competitions/cup/winners")
        settle(stranger)
        expect(stranger.get_by_text("Read by two of us.")).to_be_visible()
        stranger.get_by_text("Read the code of ada").click()
        expect(stranger.get_by_text("NUMBER = 7")).to_be_visible()
        assert accessibility_faults(stranger) == []
        expect(stranger.get_by_role("button", name="Verify")).to_have_count(0)
