"""The starting kit does what it says: each file is used as a participant would use it."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.core.submission.file import check
from tests.installation import Installation

ROOT = Path(__file__).parents[2]
KIT = ROOT / "starting_kit"
Yaml = dict[str, "Yaml"] | list["Yaml"] | str


def read_yaml(text: str) -> dict[str, Any]:
    """Read the part of YAML that the workflow needs: mappings, sequences, `|` blocks, plain and "quoted" scalars.

    Raises ValueError for any other line, so a file that passes is YAML.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    value = _block(lines, 0)
    if lines or not isinstance(value, dict):
        raise ValueError(f"not understood from here on: {lines[:1]}")
    return value


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(lines: list[str], indent: int) -> Any:
    """Read, and take from `lines`, the mapping or sequence that begins at this indentation."""
    items: list[Any] = []
    mapping: dict[str, Any] = {}
    while lines and _indent(lines[0]) == indent:
        line = lines[0][indent:]
        if line.startswith("- "):
            if re.match(r"- [\w-]+:( |$)", line):
                lines[0] = " " * (indent + 2) + line[2:]
                items.append(_block(lines, indent + 2))
            else:
                lines.pop(0)
                items.append(_scalar(line[2:]))
            continue
        key = re.fullmatch(r"([\w-]+):(?: (.+))?", line)
        if key is None or key[1] in mapping:
            raise ValueError(f"not a key, or twice the same one: {line}")
        lines.pop(0)
        mapping[key[1]] = _value(lines, indent, key[2])
    if bool(items) == bool(mapping):
        raise ValueError(f"neither a mapping nor a sequence, before {lines[:1]}")
    return items or mapping


def _value(lines: list[str], indent: int, rest: str | None) -> Any:
    deeper = bool(lines) and _indent(lines[0]) > indent
    if rest == "|":
        first, block = _indent(lines[0]), []
        while deeper and lines and _indent(lines[0]) >= first:
            block.append(lines.pop(0)[first:] + "\n")
        return "".join(block)
    if rest is not None:
        return _scalar(rest)
    return _block(lines, _indent(lines[0])) if deeper else None


def _scalar(text: str) -> str:
    quoted = re.fullmatch(r'"([^"\\]*)"', text)
    if quoted:
        return quoted[1]
    if not re.match(r"[\w.$]", text) or ": " in text or " #" in text:
        raise ValueError(f"not a plain scalar: {text}")
    return text


@pytest.mark.parametrize(
    "broken", ["a: b: c", "a:\n\tb: c", "a: [", "a: b\n  c: d", "a: 'x", "- a\nb: c", "a: b\na: c"]
)
def test_reader_of_workflows_refuses_what_it_cannot_read(broken: str) -> None:
    with pytest.raises(ValueError, match=r"not|neither"):
        read_yaml(broken)


@pytest.fixture
def workflow() -> dict[str, Any]:
    return read_yaml((KIT / "github-workflow.yml").read_text())


@pytest.fixture
def notebook() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((KIT / "my_notebook.ipynb").read_text())
    return read


def test_workflow_installs_the_client_and_submits(
    workflow: dict[str, Any], installation: Installation, tmp_path: Path
) -> None:
    """The steps run with bash, as GitHub runs them, against a server; the package comes from a copy of this tree."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copy(KIT / "my_unlearning.py", checkout)
    environment = client_environment(tmp_path) | evaluated(workflow["env"], {})
    environment |= {
        "LETHE_PACKAGE": f"lethe-unlearning @ {copy_of_the_package(tmp_path).as_uri()}",
        "LETHE_COMPETITION": "cup",
        "LETHE_PHASE": "feedback",
    }
    secrets = {"LETHE_URL": installation.stack.url, "LETHE_TOKEN": token_made_as_the_readme_says(installation)}
    (job,) = workflow["jobs"].values()
    printed = [run_step(step, environment, secrets, checkout) for step in job["steps"] if "run" in step]
    assert "Successfully installed lethe-unlearning" in printed[0]
    assert re.search(r"^my_unlearning: scored, 16 of 16 runs$", printed[1], re.MULTILINE), printed[1]
    (entry,) = installation.client.board("/api/competitions/cup/phases/feedback/leaderboard")
    assert entry["rank"] == 1
    assert "my\\_unlearning is scored" in (tmp_path / "summary.md").read_text()
    (checkout / "my_unlearning.py").write_text("def unlearning(a, b, c, d):\n    raise ValueError('why')")
    with pytest.raises(subprocess.CalledProcessError):
        run_step(job["steps"][-1], environment, secrets, checkout)


def client_environment(directory: Path) -> dict[str, str]:
    """What a fresh runner has: Python on the PATH, no login. Packages of the lock are there already."""
    target = directory / "installed"
    return {
        "PATH": os.pathsep.join([str(target / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(directory),
        "GITHUB_STEP_SUMMARY": str(directory / "summary.md"),
        "PYTHONPATH": str(target),
        "PIP_TARGET": str(target),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say: without isolation
    }


def copy_of_the_package(directory: Path) -> Path:
    """A copy to build in, since building leaves files behind."""
    copy = directory / "package"
    for name in ("services", "migrations"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def evaluated(variables: dict[str, str], secrets: dict[str, str]) -> dict[str, str]:
    """Put the secrets in."""
    return {
        name: re.sub(r"\$\{\{ secrets\.(\w+) \}\}", lambda found: secrets[found[1]], value)
        for name, value in variables.items()
    }


def run_step(step: dict[str, Any], environment: dict[str, str], secrets: dict[str, str], directory: Path) -> str:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=directory,
        env=environment | evaluated(step.get("env", {}), secrets),
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    return done.stdout


def test_workflow_uses_the_files_and_secrets_that_its_readme_names(workflow: dict[str, Any]) -> None:
    assert workflow["on"]["push"] == {"branches": ["main"], "paths": ["my_unlearning.py"]}
    (job,) = workflow["jobs"].values()
    secrets = set(re.findall(r"secrets\.(\w+)", json.dumps(workflow)))
    assert secrets == {"LETHE_URL", "LETHE_TOKEN"}
    assert [step["uses"].split("@")[0] for step in job["steps"] if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
    ]


def token_made_as_the_readme_says(installation: Installation) -> str:
    """Send its two requests in order, with the operator's password."""
    requests = re.findall(r"^curl --json '(.+?)'.* https://lethe\.example\.org(/\S+)$", readme(), re.MULTILINE)
    assert [path for _, path in requests] == ["/api/sessions", "/api/me/tokens"]
    (sessions, credentials), (tokens, wish) = [(path, json.loads(body)) for body, path in requests]
    operator = json.loads((installation.settings.data_dir / "operator.json").read_text())
    with httpx2.Client(base_url=installation.stack.url) as http:
        session = http.post(sessions, json={name: operator[name] for name in credentials}).json()["token"]
        made = http.post(tokens, json=wish, headers={"Authorization": f"Bearer {session}"})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def test_notebook_is_valid_and_carries_no_outputs(notebook: dict[str, Any]) -> None:
    """By the schema of nbformat 4.5: every cell has its own id, and code cells have outputs and a count."""
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids)
    for cell in notebook["cells"]:
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {})
            compile("".join(cell["source"]), cell["id"], "exec")
        else:
            assert set(cell) == {"cell_type", "id", "metadata", "source"}


def test_notebook_and_module_need_no_newer_python_than_the_image_has(notebook: dict[str, Any]) -> None:
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    for source in (code, (KIT / "my_unlearning.py").read_text()):
        ast.parse(source, feature_version=(3, 10))


def readme() -> str:
    return (KIT / "README.md").read_text()


def test_commands_of_the_readme_exist_with_their_options() -> None:
    commands = re.findall(r"^lethe (.+)$", readme(), re.MULTILINE)
    assert {command.split()[0] for command in commands} >= {"evaluate", "submit", "notebook"}
    for command in commands:
        words = re.match(r"(?:notebook )?\w+", command)
        assert words is not None
        shown = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words[0].split(), "--help"])
        assert shown.exit_code == 0, f"{command}: {shown.output}"
        for option in re.findall(r"--[a-z-]+", command):
            assert option in shown.output, f"{command} has no {option}"


def test_readme_names_every_file_of_the_kit() -> None:
    files = {path.name for path in KIT.iterdir() if path.is_file()} - {"README.md"}
    assert set(re.findall(r"^\| `(.+?)` \|", readme(), re.MULTILINE)) == files
    for name in files - {"github-workflow.yml"}:
        check(name, (KIT / name).read_bytes())
