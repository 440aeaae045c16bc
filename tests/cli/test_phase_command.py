"""`lethe phase create` against a real server: what it sets, and what it leaves to the platform."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from services.core.models import Device, Phase, PhaseKind, Role
from tests.api.harness import add_benchmark, make_settings, running, serving
from tests.command import lethe

Create = Callable[..., Phase]
CLOSES = ("--closes-at", "2099-12-31T12:00:00Z")


@pytest.fixture
def create(tmp_path: Path, sqlite_url: str) -> Iterator[Create]:
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        organiser = api.caller("organiser", Role.ORGANISER)
        assert organiser.token is not None
        assert organiser.post("/api/competitions", json={"slug": "cup", "title": "Cup"}).status_code == 201
        with api.database.write() as session:
            add_benchmark(session)
        token = organiser.token

        def run(slug: str, *options: str) -> Phase:
            words = ("phase", "create", slug, "--competition", "cup", "--benchmark", "tiny", *CLOSES, *options)
            done = lethe(*words, LETHE_URL=served.url, LETHE_TOKEN=token)
            assert done.returncode == 0, done.stderr
            with api.database.read() as session:
                return session.scalars(select(Phase).where(Phase.slug == slug)).one()

        yield run


def test_a_phase_has_what_the_platform_sets_where_nothing_is_said(create: Create) -> None:
    feedback, check = create("feedback"), create("check", "--kind", "check")

    assert (feedback.kind, feedback.device, feedback.seeds) == (PhaseKind.FEEDBACK, Device.CPU, 512)
    assert (feedback.memory_bytes, feedback.max_time_ratio, feedback.metric) == (2 * 2**30, 0.2, "neurips-2023")
    assert (feedback.data_hidden, check.data_hidden) == (True, False)
    assert feedback.opens_at < datetime.now(UTC)


def test_a_phase_has_what_is_said(create: Create) -> None:
    options = ("--device", "gpu", "--memory-gib", "3.5", "--max-time-ratio", "0.5", "--data-public")
    phase = create("gpus", "--opens-at", "2099-01-31T12:00:00+02:00", "--metric", "lethe-1", *options)

    assert (phase.device, phase.memory_bytes, phase.max_time_ratio) == (Device.GPU, 3_758_096_384, 0.5)
    assert (phase.metric, phase.data_hidden) == ("lethe-1", False)
    assert phase.opens_at == datetime(2099, 1, 31, 10, tzinfo=UTC)
