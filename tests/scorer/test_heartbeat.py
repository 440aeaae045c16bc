"""The scorer's sign of life, and the health check that looks at it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.core.heartbeat import is_alive
from services.core.settings import Settings
from services.core.store.database import Database
from services.scorer.consumer import Scorer
from tests.api.harness import make_settings
from tests.core.conftest import database

__all__ = ["database"]

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url)


def healthy(settings: Settings) -> bool:
    """Run the health check that Docker runs."""
    check = re.search(r'test: \["CMD", "python3", (.*"scorer")\]', COMPOSE_FILE.read_text())
    assert check is not None
    arguments = [word.strip('" ') for word in check[1].split(",")]
    environment = os.environ | {"LETHE_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode == 0


def test_a_scorer_is_healthy_while_it_sweeps(database: Database, settings: Settings) -> None:
    assert not healthy(settings)
    scorer = Scorer(settings)
    scorer.sweep()
    assert healthy(settings)
    hours_ago = time.time() - 7200
    os.utime(settings.data_dir / "cache" / "scorer-heartbeat", (hours_ago, hours_ago))
    assert not healthy(settings)
    scorer.sweep()
    assert is_alive(settings, "scorer")
    scorer.database.dispose()


def test_a_scorer_without_its_database_gives_no_sign_of_life(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, "postgresql+psycopg://lethe@127.0.0.1:1/lethe")
    scorer = Scorer(settings)
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        scorer.sweep()
    assert not is_alive(settings, "scorer")
    scorer.database.dispose()
