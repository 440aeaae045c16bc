"""Check that Lethe works on this machine's GPU, and print one table: `python -m benches.gpu_check`.

The exit status is 1 if anything did not pass, or did not run.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benches.gpu_check.rows import Row, Table, as_markdown, as_text
from services.core.device import Device

ROOT = Path(__file__).parents[2]
DEVICES = {"cuda": Device.GPU, "cpu": Device.CPU}
SHOWN_LINES = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A part, how long it may take, and the parts without which it cannot run."""

    name: str
    limit_s: int
    needs: tuple[str, ...] = ()


PARTS = (  # 12 minutes in all
    Part("device", 60),
    Part("digits", 150, ("device",)),
    Part("resnet18", 240, ("device",)),
    Part("entry", 190, ("digits", "resnet18")),
    Part("failures", 75, ("digits",)),
)


def main() -> int:
    """Run all parts and print their table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=list(DEVICES), default="cuda", help="what to check (default: cuda)")
    parser.add_argument("--small", action="store_true", help="do as little as shows that everything runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--out", type=Path, help="also write the table as Markdown to this file")
    options = parser.parse_args()
    most = sum(part.limit_s for part in PARTS) / 60
    _say(f"Checking {options.device}. This takes {most:.0f} minutes at most.")
    started = time.monotonic()
    rows, failed = [], set[str]()
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as place:
        for part in PARTS:
            found = _run(part, failed, Path(place), device=options.device, small=options.small)
            rows += found
            if not _ran(found):
                failed.add(part.name)
    passed = all(row.passed is not False for row in rows)
    spent = time.monotonic() - started
    if options.json:
        print(json.dumps({"passed": passed, "seconds": round(spent, 1), "rows": [asdict(row) for row in rows]}))
    else:
        print(as_text(rows))
    if options.out is not None:
        small = ", --small" if options.small else ""
        told = f"`make gpu-check` ({options.device}{small}), {datetime.now(UTC):%Y-%m-%d}, in {spent / 60:.1f} minutes:"
        options.out.write_text(as_markdown(rows, told), encoding="utf-8")
    _say(f"{'Everything passed' if passed else 'Something did not pass'}, in {spent / 60:.1f} minutes.")
    return 0 if passed else 1


def _run(part: Part, failed: set[str], place: Path, *, device: str, small: bool) -> list[Row]:
    """Run one part in a process of its own; return its rows, the last of which says so if it broke."""
    if missing := [name for name in part.needs if name in failed]:
        return [Row(part.name, "not run", f"because of {', '.join(missing)}", "", passed=False)]
    _say(f"{part.name}: at most {part.limit_s} s")
    command = [sys.executable, "-m", "benches.gpu_check.part", part.name, "--device", DEVICES[device].value]
    command += ["--place", str(place), *(["--small"] if small else [])]
    started = time.monotonic()
    with (place / f"{part.name}.log").open("w+b") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(device), start_new_session=True, stdout=log, stderr=log
        )
        status = _wait(process, part.limit_s)
        log.seek(0)
        said = log.read().decode(errors="replace").splitlines()
    rows = Table(place / f"{part.name}.rows", part.name).rows()
    spent = f"{time.monotonic() - started:.0f} s"
    if status == 0:
        return [*rows, Row(part.name, "in all", spent, f"at most {part.limit_s} s")]
    _say("\n".join(said[-SHOWN_LINES:]))
    why = f"did not end within {part.limit_s} s" if status is None else f"ended with status {status} after {spent}"
    return [*rows, Row(part.name, "ran to its end", why, (said or ["it said nothing"])[-1][:100], passed=False)]


def _environment(device: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    own |= {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}
    return own | ({"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {})


def _wait(process: "subprocess.Popen[bytes]", limit_s: float) -> int | None:
    """Return the exit status; None if the process had to be ended, with everything that it started."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ran(rows: list[Row]) -> bool:
    """Tell whether a part ran to its end, so that others can use what it made."""
    return rows[-1].passed is not False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
