"""What the bench of boards prints can be read by a program."""

import json
import subprocess
import sys


def test_json_is_all_that_standard_output_holds() -> None:
    command = [sys.executable, "-m", "benches.board_scale", "--teams", "30,60", "--reads", "3", "--json"]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert [row["teams"] for row in rows] == [30, 60]
    for row in rows:
        assert {"p50_ms", "p99_ms", "refresh_s", "peak_mb"} <= row.keys()
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert min(row["refresh_s"], row["peak_mb"], row["recompute_ms"]) > 0
