"""Locks between processes: one holder at a time, refused at once, given back by death."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from services.core.errors import Conflict
from services.core.locks import attempt, exclusive

HOLD = """
import sys
from pathlib import Path
from services.core.errors import Conflict
from services.core.locks import exclusive
with exclusive(Path(sys.argv[1]), Conflict("taken")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.lock"


def test_second_holder_is_refused_with_the_error_given(path: Path) -> None:
    refusal = Conflict("taken")
    with exclusive(path, refusal), pytest.raises(Conflict) as raised, exclusive(path, refusal):
        pass
    assert raised.value is refusal
    with exclusive(path, refusal):
        pass


def test_an_attempt_says_whether_it_worked(path: Path) -> None:
    with attempt(path) as first, attempt(path) as second:
        assert (first, second) == (True, False)
    with attempt(path) as third:
        assert third


def test_a_failing_block_gives_the_lock_back(path: Path) -> None:
    with pytest.raises(RuntimeError), exclusive(path, Conflict("taken")):
        raise RuntimeError
    with attempt(path) as held:
        assert held


def test_a_lock_in_a_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), attempt(tmp_path / "gone" / "it.lock"):
        pass


def test_a_killed_process_gives_its_lock_back(path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(Conflict), exclusive(path, Conflict("taken")):
            pass
        process.send_signal(signal.SIGKILL)
    with attempt(path) as held:
        assert held


def test_holders_that_remove_the_file_stay_alone(path: Path) -> None:
    """A lock on a removed file, opened before that, would let two in: one on the old file, one on a new."""
    inside, together = 0, []

    def take_turns() -> None:
        nonlocal inside
        for _ in range(1000):
            with attempt(path) as held:
                if held:
                    inside += 1
                    together.append(inside)
                    inside -= 1
                    path.unlink()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(together) == {1}
