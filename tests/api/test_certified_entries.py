"""Certificates on their way: claimed by a module, kept with the submission, audited by the scorer, shown on boards."""

from pathlib import Path
from typing import Any

import pytest

from services.cli.console import leaderboard_table
from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST
from services.core.models import Device, Phase
from services.core.queue.leases import WorkerOffer, claim, finish, record
from services.core.settings import Settings
from services.scorer.consumer import Scorer
from tests.api.harness import BOARD, MODULE, Api, Caller
from tests.bundles import make_tiny_bundle, oracle_as_measured
from tests.certified import learning_of, short_definition

OFFER = WorkerOffer("worker", Device.CPU, "cpu", 2**40)
CLAIM = {"method": "langevin", "epsilon": 0.25, "delta": 0.004, "steps": 3, "epochs": None}
CERTIFIED = b'CERTIFICATE = {"method": "langevin", "epsilon": 0.25, "delta": 0.004, "steps": 3}\n' + MODULE
BAD = [
    (b'CERTIFICATE = {"method": "langevin", "epsilon": 0.25, "delta": 0.004}\n', "langevin needs steps"),
    (b'CERTIFICATE = {"epsilon": float("inf"), "delta": 0.004}\n', "not a literal"),
    (b'CERTIFICATE = {"epsilon": -1, "delta": 0.004}\n', "epsilon"),
]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A tiny benchmark that says it learned with noise."""
    bundle = make_tiny_bundle(tmp_path / "bundle", oracle_seeds=16)
    learning = learning_of(short_definition("certified-digits"))
    (bundle.root / MANIFEST).write_bytes(
        bundle.manifest.model_validate(bundle.manifest.model_dump() | {"learning": learning}).to_bytes()
    )
    return Bundle(bundle.root)


@pytest.fixture
def certified_phase(api: Api, phase: Phase, bundle: Bundle) -> Phase:
    """The open phase, on that benchmark."""
    with api.database.write() as session:
        current = session.get_one(Phase, phase.id)
        current.benchmark = bundle_store.publish(session, api.state.blobs, bundle)
        session.flush()
        return current


def measure(api: Api, bundle: Bundle) -> None:
    """Record the oracle's last models as those of what waits, as a worker would."""
    for _ in range(2):
        with api.database.write() as session:
            held = claim(session, OFFER, 60)
            assert held is not None
            seeds = range(held.seed_start, held.seed_stop)
            record(session, held, oracle_as_measured(bundle, api.state.blobs, seeds, skip=8))
            finish(session, held)


def columns_of(text: str) -> list[str]:
    """Take the headings of the printed table."""
    (line,) = (line for line in text.splitlines() if "final score" in line)
    return [cell.strip() for cell in line.replace("│", "┃").strip("┃ ").split("┃")]


def test_a_claim_goes_from_upload_to_board(
    api: Api,
    settings: Settings,
    certified_phase: Phase,
    bundle: Bundle,
    participant: Caller,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submitted = participant.submit(CERTIFIED).json()
    assert (submitted["claim"], submitted["score"]) == (CLAIM, None)

    measure(api, bundle)
    scorer = Scorer(settings)
    assert scorer.serve() == 1
    scorer.database.dispose()

    shown = participant.get(f"/api/submissions/{submitted['id']}").json()
    (entry,) = api.anonymous.get(BOARD).json()["items"]
    found = entry["certificate"]
    assert (shown["state"], shown["claim"]) == ("scored", CLAIM)
    for score in (shown["score"], *shown["other_scores"]):
        assert score["certificate"] == found
    assert (found["epsilon"], found["delta"], found["notes"]) == (0.25, 0.004, [])
    assert found["accountant_epsilon"] > 0.25
    assert 0 <= found["audited_epsilon"] <= found["largest_auditable"]

    capsys.readouterr()
    leaderboard_table([entry], "Board")
    printed = capsys.readouterr().out
    assert columns_of(printed)[-3:] == ["claimed ε", "accountant's", "proven ≥"]
    row = next(line for line in printed.splitlines() if "ada" in line)
    for name in ("epsilon", "accountant_epsilon", "audited_epsilon"):
        assert f"{found[name]:.3g}" in row.split()


def test_an_entry_without_a_claim_shows_none(
    api: Api,
    settings: Settings,
    certified_phase: Phase,
    bundle: Bundle,
    participant: Caller,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submitted = participant.submit().json()
    measure(api, bundle)
    scorer = Scorer(settings)
    scorer.serve()
    scorer.database.dispose()

    shown = participant.get(f"/api/submissions/{submitted['id']}").json()
    (entry,) = api.anonymous.get(BOARD).json()["items"]
    assert (shown["claim"], shown["score"]["certificate"], entry["certificate"]) == (None, None, None)

    capsys.readouterr()
    leaderboard_table([entry], "Board")
    assert columns_of(capsys.readouterr().out)[-1] == "of retraining"


def entry_of(name: str, certificate: dict[str, Any] | None) -> dict[str, Any]:
    numbers = dict.fromkeys(["forgetting_quality", "utility", "final_score", "ci_low", "ci_high", "run_s"], 0.5)
    text = {"entry": name, "reference": "none", "tie_group": 1, "rank": 1, "seeds": 8}
    return numbers | text | {"certificate": certificate}


def test_a_board_of_both_leaves_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"epsilon": 1.0, "accountant_epsilon": None, "audited_epsilon": 0.125}
    leaderboard_table([entry_of("claims", known), entry_of("does-not", None)], "Board")
    printed = capsys.readouterr().out
    assert columns_of(printed)[-3:] == ["claimed ε", "accountant's", "proven ≥"]
    rows = {name: next(line for line in printed.splitlines() if name in line) for name in ("claims", "does-not")}
    assert [cell.strip() for cell in rows["claims"].split("│")][-4:-1] == ["1", "", "0.125"]
    assert [cell.strip() for cell in rows["does-not"].split("│")][-4:-1] == ["", "", ""]


@pytest.mark.parametrize(("line", "message"), BAD)
def test_a_bad_claim_is_refused_with_a_remedy(participant: Caller, phase: Phase, line: bytes, message: str) -> None:
    answer = participant.submit(line + MODULE)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_certificate_claim")
    assert message in problem["detail"]
    assert "CERTIFICATE = {" in problem["remedy"]
    assert participant.get("/api/submissions").json()["items"] == []
