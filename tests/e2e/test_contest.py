"""A whole contest by API in small: every step does what it should, and the record holds after each."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(900)
SHORT = ("--teams", "4", "--seeds", "8", "--json")


def test_the_short_form_plays_every_step() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benches.contest", *SHORT], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    assert [one["step"] for one in steps][-2:] == ["contest frozen and verified", "forged rows found"]
    acts = [one["acts"] for one in steps]
    assert acts == sorted(acts)
    assert acts[0] > 0
