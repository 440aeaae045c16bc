"""`lethe losses` and `lethe submissions --tag` against a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from uuid import UUID

import pytest

from services.core.models import Role
from services.core.models.losses import ExampleLoss, LabelLoss, LossesForm
from services.core.store.database import Database
from tests.api.harness import Caller, add_account, add_phase, make_settings, running, serving
from tests.api.scores import measure, score
from tests.command import lethe

LOST = LossesForm(
    examples=[
        ExampleLoss(
            example=example,
            label=3,
            subject=None,
            epsilon=6.0 - example,
            quality=0.25,
            retrained_epsilon=0.5,
            retrained_quality=0.5,
            picture=None,
        )
        for example in range(3)
    ],
    total=8,
    quality=0.125,
    retrained_quality=0.75,
    labels=[LabelLoss(label=3, examples=8, quality=0.125, retrained_quality=0.75)],
)
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def server(tmp_path: Path, sqlite_url: str) -> Iterator[tuple[Caller, Database, Run]]:
    database = Database(sqlite_url)
    with running(settings := make_settings(tmp_path, sqlite_url)) as api, serving(settings) as served:
        with database.write() as session:
            add_phase(session, add_account(session, "organiser", Role.ORGANISER))
        ada = api.caller("ada")
        assert ada.token is not None
        at = {"LETHE_URL": served.url, "LETHE_TOKEN": ada.token}
        yield ada, database, lambda *arguments: lethe(*arguments, **at)
    database.dispose()


def test_the_examples_that_are_told_apart_most_are_listed(server: tuple[Caller, Database, Run]) -> None:
    ada, database, run = server
    submitted = ada.submit().json()
    assert "Losses by example are not known" in run("losses", submitted["id"]).stderr
    with database.write() as session:
        evaluation = measure(session, UUID(submitted["evaluation_id"]))
        score(session, evaluation.id, 0.1)
        evaluation.losses = LOST

    told = run("losses", submitted["id"], "--most", "2").stdout
    rows = [line.split() for line in told.splitlines()]

    assert "0.125 on average, over 8 examples" not in told
    assert "0.125 (a retrained model's: 0.750) on average, over 8 examples" in told
    assert [row[1:12:2] for row in rows if "6.00" in row or "5.00" in row] == [
        ["0", "3", "6.00", "0.50", "0.250", "0.500"],
        ["1", "3", "5.00", "0.50", "0.250", "0.500"],
    ]
    assert len(json.loads(run("losses", submitted["id"], "--json").stdout)["examples"]) == 3
