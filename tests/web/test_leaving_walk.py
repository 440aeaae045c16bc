"""After a published final, by the page: a finalist deletes the account, and the board and its receipt stay valid."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from services.core.models import Role
from services.core.names import PSEUDONYM
from services.core.record.receipts import check_receipt
from tests.api.finals import choose, end_runs, make_final, publish, start
from tests.api.harness import add_phase, make_settings, running, serving
from tests.api.rescoring import code, submit_scored
from tests.web.browsing import sign_in


def test_a_finalist_leaves_and_the_board_stays(
    tmp_path: Path, sqlite_url: str, new_context: Callable[..., BrowserContext]
) -> None:
    settings = make_settings(tmp_path, sqlite_url, allowed_hosts="*")
    with ExitStack() as stack:
        api = stack.enter_context(running(settings))
        organiser, ada = api.caller("organiser", Role.ORGANISER), api.caller("ada")
        assert organiser.account is not None
        assert ada.token is not None
        with api.database.write() as session:
            add_phase(session, organiser.account)
        make_final(organiser)
        mine = submit_scored(api, ada, code(7), 0.5)
        assert choose(ada, mine).json()["entries"]
        start(api, organiser)
        end_runs(api, {"ada": 0.2})
        assert publish(organiser).status_code == 200
        api.anonymous.keep_boards()
        receipt = ada.get(f"/api/submissions/{mine}/receipt").text
        served = stack.enter_context(serving(settings))
        context = new_context()
        sign_in(context, served.url, ada.token)
        page = context.new_page()
        page.goto(f"{served.url}/account")
        page.get_by_role("button", name="Delete my account…").click()
        remains = page.get_by_role("heading", name="What remains").locator("xpath=..")
        expect(remains).to_contain_text("under a pseudonym")
        page.get_by_label("Your username (ada)").fill("ada")
        page.get_by_role("button", name="Delete my account for ever").click()
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()

        stranger = new_context().new_page()
        stranger.goto(f"{served.url}/competitions/cup/leaderboard?phase=final")
        board = stranger.get_by_role("main")
        expect(board).to_contain_text(PSEUDONYM)
        expect(board).to_contain_text("0.200")
        expect(board.get_by_text("ada", exact=True)).to_have_count(0)
        assert check_receipt(receipt)["statement"]["team"] == "ada"  # as it was signed
        assert check_receipt(organiser.get(f"/api/submissions/{mine}/receipt").text)["statement"]["team"] != "ada"
