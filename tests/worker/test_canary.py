"""A control entry at the place of a failure: it passes where our side is well."""

from dataclasses import replace

import pytest

from services.core.models import FailureKind
from services.core.queue.leases import MAX_ATTEMPTS
from services.worker.attempt import Attempt
from services.worker.canary import blamed, canary_passes
from services.worker.failures import RunFailed
from services.worker.measurers import MeasurerProcess
from services.worker.resources import Resources
from services.worker.shard import prepare
from services.worker.station import Station, Stopped
from tests.core.conftest import database
from tests.worker.test_attempt import Claim, claim, resources

__all__ = ["claim", "database", "resources"]

HARMLESS = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"


def _broken(*_: object) -> None:
    raise OSError("no space left")


@pytest.fixture
def attempt(claim: Claim) -> Attempt:
    return claim(HARMLESS)


@pytest.fixture
def station(attempt: Attempt, resources: Resources) -> Station:
    bundle, *_ = prepare(
        resources.database, resources.blobs, attempt.lease, attempt.slot, resources.settings.bundle_cache
    )
    return Station(
        resources.sandbox, resources.measurers, attempt.slot, bundle, label="canary", stopped=resources.stopping.is_set
    )


def test_it_passes_where_all_is_well_and_not_where_the_model_cannot_be_measured(
    station: Station, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert canary_passes(station)
    with monkeypatch.context() as broken:
        broken.setattr(MeasurerProcess, "read", _broken)
        assert not canary_passes(station)
    resources.stopping.set()
    with pytest.raises(Stopped):
        canary_passes(station)


@pytest.mark.parametrize("failure", [ValueError("broke"), RunFailed(FailureKind.PLATFORM, "The measurer ended.")])
def test_platform_failure_of_the_last_attempt_is_unstable_if_the_control_passes(
    attempt: Attempt, station: Station, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = [True, False]
    monkeypatch.setattr("services.worker.canary.canary_passes", lambda _: passing.pop(0))
    last = replace(attempt.lease, attempt=MAX_ATTEMPTS)
    with pytest.raises(RunFailed) as caught, blamed(station, last):
        raise failure
    assert caught.value.kind is FailureKind.UNSTABLE
    with pytest.raises(type(failure)) as again, blamed(station, last):
        raise failure
    assert again.value is failure
    with pytest.raises(type(failure)) as early, blamed(station, attempt.lease):
        raise failure
    assert early.value is failure


@pytest.mark.parametrize("failure", [Stopped(), RunFailed(FailureKind.TIMEOUT, "Too slow.")])
def test_other_ends_stay_what_they_are(attempt: Attempt, station: Station, failure: Exception) -> None:
    with pytest.raises(type(failure)) as caught, blamed(station, replace(attempt.lease, attempt=MAX_ATTEMPTS)):
        raise failure
    assert caught.value is failure
