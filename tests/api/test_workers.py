"""Operators see every worker: in a list, and as metrics."""

from datetime import timedelta

from services.core.models import Role, WorkerRow
from services.core.queue.workers import report
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller
from tests.api.test_metrics import sample, scrape


def add(api: Api, name: str, *, silent_s: float = 0, self_test: dict[str, str] | None = None) -> None:
    with api.database.write() as session:
        row = WorkerRow(
            name=name,
            slots=4,
            slots_busy=1,
            device_classes=["cpu"],
            sandbox="docker (runsc)",
            version="1",
            free_disk_bytes=len(name) * 10**9,
            started_at=utc_now(),
            self_test=self_test,
        )
        report(session, row)
    with api.database.write() as session:
        session.get_one(WorkerRow, name).seen_at -= timedelta(seconds=silent_s)


def test_operators_see_workers(api: Api, participant: Caller) -> None:
    operator = api.caller("root", Role.OPERATOR)
    add(api, "live", self_test={"result": "passed", "at": utc_now().isoformat()})
    add(api, "gone", silent_s=61)
    add(api, "other", silent_s=30)

    found = {one["name"]: one for one in operator.get("/api/workers").json()}
    assert {name: one["gone"] for name, one in found.items()} == {"live": False, "gone": True, "other": False}
    assert (found["live"]["self_test"]["result"], found["other"]["self_test"]) == ("passed", None)
    assert participant.get("/api/workers").status_code == 403

    metrics = scrape(api, operator)
    assert sample(metrics, "lethe_workers", state="alive") == 2
    assert sample(metrics, "lethe_workers", state="gone") == 1
    assert sample(metrics, "lethe_worker_slots", state="busy") == 2
    assert sample(metrics, "lethe_worker_slots", state="free") == 6
    assert sample(metrics, "lethe_worker_free_disk_bytes") == 4e9
    assert sample(metrics, "lethe_worker_self_tests", result="passed") == 1
    assert sample(metrics, "lethe_worker_self_tests", result="none") == 1
    assert sample(metrics, "lethe_worker_self_tests", result="failed") == 0
