"""Smaller pieces of the worker: seeds, slots, what is staged into a sandbox."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.settings import Settings
from services.worker.seeds import derive_seeds
from services.worker.slots import WorkerRunning, make_slots, stage_code, worker_lock
from services.worker.workplace import workplace
from tests.imports import imports_of

ALLOWED = set(sys.stdlib_module_names) | {"numpy", "torch"}
ALLOWED_IN = {  # what the sandbox's images have, and only some runs need
    "notebook.py": {"nbclient", "nbformat"},
    "torchvision_operators.py": {"PIL"},
}


def test_seed_values_are_hmac_of_the_index() -> None:
    """Computed with `printf 'run|7' | openssl dgst -sha256 -mac HMAC -macopt key:key`, first 8 bytes, shifted by 1."""
    (seed,) = derive_seeds(b"key", [7])
    assert (seed.index, seed.value) == (7, 0x71AC5102A7445B5B)


def test_seeds_differ_by_index_and_key_and_fit_torch() -> None:
    values = {seed.value for key in (b"a", b"b") for seed in derive_seeds(key, range(512))}
    assert len(values) == 1024
    assert all(0 <= value < 2**63 for value in values)


def test_staged_code_imports_the_standard_library_numpy_torch_and_itself_only(tmp_path: Path) -> None:
    code = stage_code(tmp_path)
    assert code == stage_code(tmp_path)
    files = list(code.rglob("*.py"))
    staged = {path.relative_to(code).with_suffix("").as_posix().replace("/", ".") for path in files}
    assert {name for name in staged if name.startswith("services.worker.runner.")} >= {"services.worker.runner.main"}
    for path in files:
        for name in imports_of(path):
            allowed = ALLOWED | ALLOWED_IN.get(path.name, set())
            assert name.split(".")[0] in allowed or _is_staged(name, staged), f"{path.name} imports {name}"


def _is_staged(name: str, staged: set[str]) -> bool:
    return name in staged or name.rsplit(".", 1)[0] in staged


def test_clearing_a_slot_empties_it_however_deep_and_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (slot,) = make_slots(Settings(worker_slots=1), tmp_path / "work")
    (slot.out / "link").symlink_to(precious)
    inner = os.open(slot.out, os.O_RDONLY)
    for _ in range(3000):  # deeper than Python recurses
        os.mkdir("d", dir_fd=inner)
        outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    slot.clear()
    assert not list(slot.out.iterdir())
    assert (precious / "file").read_text() == "kept"


def test_second_worker_on_one_directory_is_refused(tmp_path: Path) -> None:
    with worker_lock(tmp_path), pytest.raises(WorkerRunning, match="LETHE_DATA_DIR"), worker_lock(tmp_path):
        pass


def test_what_a_killed_local_run_left_goes_with_the_next_and_nothing_else(tmp_path: Path) -> None:
    killed = "import sys, os; from pathlib import Path; from services.worker.workplace import workplace\n"
    killed += "with workplace(Path(sys.argv[1]), 'evaluate') as work: (work / 'file').touch(); os._exit(0)"
    subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=True)
    (left,) = tmp_path.iterdir()
    (tmp_path / "evaluate-me.py").touch()
    with workplace(tmp_path, "evaluate") as mine:
        assert not left.exists()
        with workplace(tmp_path, "evaluate") as other:
            assert mine.exists()
            assert other != mine
    assert [path.name for path in tmp_path.iterdir()] == ["evaluate-me.py"]


@pytest.fixture
def living(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has moved in, said so, and waits."""
    waits = "import sys; from pathlib import Path; from services.worker.workplace import workplace\n"
    waits += "with workplace(Path(sys.argv[1]), 'evaluate') as work:\n"
    waits += "    (work / 'slot').mkdir(); (work / 'slot/file').touch(); print(work, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", waits, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_what_kill_9_leaves_goes_with_the_next_run_and_not_before(
    tmp_path: Path, living: subprocess.Popen[bytes]
) -> None:
    assert living.stdout is not None
    work = Path(living.stdout.readline().decode().strip())
    with workplace(tmp_path, "evaluate"):
        assert (work / "slot/file").exists()
    living.kill()
    living.wait()
    assert (work / "slot/file").exists()
    with workplace(tmp_path, "evaluate") as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_a_run_killed_before_it_had_its_lock_leaves_nothing_for_good(tmp_path: Path) -> None:
    """An empty directory; one that holds something and has no lock is somebody's own."""
    (tmp_path / "evaluate-a1b2c3d4").mkdir()
    (tmp_path / "evaluate-my_files" / "precious").mkdir(parents=True)
    (tmp_path / "evaluate-plans").mkdir()
    with workplace(tmp_path, "evaluate") as mine:
        assert {path.name for path in tmp_path.iterdir()} == {mine.name, "evaluate-my_files", "evaluate-plans"}


@pytest.mark.parametrize("removals", range(5))
def test_a_run_killed_while_it_cleared_away_is_swept_too(tmp_path: Path, removals: int) -> None:
    dies = "import sys, os; from itertools import count; from pathlib import Path\n"
    dies += "from services.worker.workplace import workplace\n"
    dies += "with workplace(Path(sys.argv[1]), 'evaluate') as work:\n"
    dies += "    (work / 'slot').mkdir(); (work / 'slot/file').touch(); (work / 'file').touch(); removed = count()\n"
    dies += "    sys.addaudithook(lambda event, _: event in ('os.remove', 'os.rmdir')\n"
    dies += "        and next(removed) == int(sys.argv[2]) and os._exit(9))"
    died = subprocess.run([sys.executable, "-c", dies, str(tmp_path), str(removals)], check=False)
    assert died.returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    with workplace(tmp_path, "evaluate") as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_nobody_sweeps_a_directory_that_another_moves_into(tmp_path: Path) -> None:
    """A sweep takes the lock of a directory just made, before its owner: the owner must not work in what is removed."""
    lost = []

    def move_in_and_out() -> None:
        for _ in range(200):
            with workplace(tmp_path, "evaluate") as work:
                try:
                    (work / "file").touch()
                    time.sleep(0)
                    (work / "file").read_bytes()
                except FileNotFoundError as error:
                    lost.append(error)

    threads = [threading.Thread(target=move_in_and_out) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not lost
    assert not list(tmp_path.iterdir())
