"""Smaller pieces of the worker: seeds, slots, what is staged into a sandbox."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from services.core.settings import Settings
from services.worker.seeds import derive_seeds
from services.worker.slots import WorkerRunning, make_slots, stage_code, worker_lock
from services.worker.workplace import workplace

ALLOWED = set(sys.stdlib_module_names) | {"numpy", "torch"}
ALLOWED_IN = {"notebook.py": {"nbclient", "nbformat"}}  # of the sandbox image, where alone notebooks run


def test_seed_values_are_hmac_of_the_index() -> None:
    """Computed with `printf 'run|7' | openssl dgst -sha256 -mac HMAC -macopt key:key`, first 8 bytes, shifted by 1."""
    (seed,) = derive_seeds(b"key", [7])
    assert (seed.index, seed.value) == (7, 0x71AC5102A7445B5B)


def test_seeds_differ_by_index_and_key_and_fit_torch() -> None:
    values = {seed.value for key in (b"a", b"b") for seed in derive_seeds(key, range(512))}
    assert len(values) == 1024
    assert all(0 <= value < 2**63 for value in values)


def test_staged_code_imports_standard_library_numpy_and_torch_alone(tmp_path: Path) -> None:
    code = stage_code(tmp_path)
    assert code == stage_code(tmp_path)
    staged = {path.relative_to(code).with_suffix("").as_posix().replace("/", ".") for path in code.rglob("*.py")}
    for path in code.rglob("*.py"):
        for name in _imports(path):
            allowed = ALLOWED | ALLOWED_IN.get(path.name, set())
            assert name.split(".")[0] in allowed or _is_staged(name, staged), f"{path.name} imports {name}"


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def _is_staged(name: str, staged: set[str]) -> bool:
    return name in staged or name.rsplit(".", 1)[0] in staged


def test_clearing_a_slot_keeps_its_directories_and_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (slot,) = make_slots(Settings(worker_slots=1), tmp_path / "work")
    inode = slot.out.stat().st_ino
    (slot.out / "link").symlink_to(precious)
    (slot.out / "deep").mkdir()
    slot.clear()
    assert not list(slot.out.iterdir())
    assert slot.out.stat().st_ino == inode
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
