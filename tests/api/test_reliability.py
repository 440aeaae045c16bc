"""Asking how far the numbers of a phase can be trusted, and reading the answer."""

from services.core.models import Phase, ReliabilityForm, ReliabilityRow
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller

PATH = "/api/competitions/cup/phases/feedback/reliability"
FORM = ReliabilityForm(metric="lethe-2", entries=7, models=512, draws=10, orders=(), pairs=(), card=None)


def test_before_anybody_asks_there_is_nothing(api: Api, phase: Phase) -> None:
    shown = api.anonymous.get(PATH).json()
    assert (shown["asked_at"], shown["found"], shown["under_way"]) == (None, None, False)


def test_its_organiser_asks_and_everybody_reads(api: Api, phase: Phase, organiser: Caller) -> None:
    asked = organiser.post(PATH)
    assert (asked.status_code, asked.json()["under_way"]) == (202, True)
    assert organiser.post(PATH).json()["asked_at"] == asked.json()["asked_at"]  # which is being computed already
    with api.database.write() as session:
        row = session.get_one(ReliabilityRow, phase.id)
        row.form, row.made_at = FORM, utc_now()
    shown = api.anonymous.get(PATH).json()
    assert (shown["under_way"], shown["found"]["metric"]) == (False, "lethe-2")

    again = organiser.post(PATH).json()
    assert (again["under_way"], again["found"]["entries"]) == (True, 7)  # the last answer stays meanwhile


def test_only_its_organiser_may_ask(api: Api, phase: Phase) -> None:
    assert api.anonymous.post(PATH).status_code == 401
    assert api.caller("someone").post(PATH).status_code == 403
    assert api.anonymous.get(PATH.replace("feedback", "none")).status_code == 404
