"""The real app on a migrated database of each engine, with a phase to submit to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.models import Phase, Role
from services.core.settings import Settings
from tests.api.harness import Api, Caller, add_phase, make_settings, running


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url)


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    with running(settings) as api:
        yield api


@pytest.fixture
def organiser(api: Api) -> Caller:
    return api.caller("organiser", Role.ORGANISER)


@pytest.fixture
def phase(api: Api, organiser: Caller) -> Phase:
    """The open phase `feedback` of competition `cup`."""
    assert organiser.account is not None
    with api.database.write() as session:
        return add_phase(session, organiser.account)


@pytest.fixture
def participant(api: Api) -> Caller:
    return api.caller("ada")
