"""The real app on a migrated database of each engine, with a phase to submit to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from services.api.accounts import passwords
from services.core.models import Phase, Role
from services.core.settings import Settings
from tests.api.harness import Api, Caller, add_phase, make_settings, running

LITTLE_WORK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture(autouse=True)
def _passwords_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash takes a third of a second, and these tests make hundreds."""
    monkeypatch.setattr(passwords, "_hasher", LITTLE_WORK)


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
