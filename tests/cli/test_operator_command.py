"""Commands of operators on an installation that is not set up yet."""

import json
from pathlib import Path

import pytest

from tests.bundles import make_tiny_bundle
from tests.command import lethe_here


@pytest.mark.parametrize(
    "arguments",
    [
        ["operator"],
        ["operator", "grace"],
        ["api"],
        ["scorer"],
        ["worker"],
        ["benchmark", "publish", "@"],
        ["measurements", "00000000-0000-0000-0000-000000000000", "--out", "@.safetensors"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_before_the_first_migration_says_what_to_do(tmp_path: Path, arguments: list[str]) -> None:
    bundle = str(make_tiny_bundle(tmp_path / "tiny").root) if "@" in arguments else str(tmp_path / "x")
    given = [argument.replace("@", bundle) for argument in arguments]
    done = lethe_here(*given, LETHE_DATA_DIR=str(tmp_path / "var"), LETHE_SANDBOX="process")

    assert done.returncode == 1
    assert "Run `lethe migrate` first." in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert "argon2" not in done.stderr


@pytest.mark.parametrize("name", ["\u0430\u043d\u043d\u0430", "Ann", "ann_lee", ""])
def test_an_operator_has_a_name_like_any_account(tmp_path: Path, name: str) -> None:
    variables = {"LETHE_DATA_DIR": str(tmp_path / "var"), "LETHE_SANDBOX": "process"}
    lethe_here("migrate", **variables)

    done = lethe_here("operator", name, **variables)
    good = lethe_here("operator", "ann-lee", **variables)

    assert done.returncode == 1
    assert "use 1 to 39 of the letters a-z, digits and hyphens (-)" in " ".join(done.stderr.split())
    assert json.loads(good.stdout)["username"] == "ann-lee"
