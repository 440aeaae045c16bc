"""What greets a contributor is in order: versions agree, the changelog is short, workflow and hooks run what exists."""

import re
import tomllib
from itertools import pairwise

import yaml

from tests.docs.pages import ROOT, read, sections_of

VERSION = tomllib.loads(read("pyproject.toml"))["project"]["version"]


def versions() -> list[str]:
    """The versions of the changelog, newest first."""
    return re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)


def test_the_changelog_has_what_is_unreleased_then_the_released_versions_newest_first() -> None:
    unreleased, *released = versions()
    assert unreleased == "Unreleased"
    assert released[0] == VERSION
    numbers = [tuple(map(int, version.split("."))) for version in released]
    assert all(newer > older for newer, older in pairwise(numbers))


def test_an_entry_of_the_changelog_has_fewer_than_25_words() -> None:
    entries = re.findall(r"^- ((?:.+\n)+?)(?=^-|^$|\Z)", read("CHANGELOG.md"), re.MULTILINE)
    assert entries
    for entry in entries:
        assert len(entry.split()) < 25, entry


def test_the_citation_names_this_version_and_no_person() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == VERSION
    assert citation["authors"] == [{"name": "The Lethe contributors"}]
    assert citation["license"] == "Apache-2.0"


def test_the_workflow_runs_the_check_of_a_commit() -> None:
    [job] = yaml.safe_load(read(".github/workflows/ci.yml"))["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


def test_every_hook_is_a_tool_of_this_repository() -> None:
    [local] = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert local["repo"] == "local"
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert check is not None
    for hook in local["hooks"]:
        tool = hook["entry"].removeprefix(".venv/bin/").split(" --")[0]
        assert hook["entry"].startswith(".venv/bin/")
        assert f"$(BIN)/{tool}" in check[1]


def test_the_rules_of_voice_are_ten() -> None:
    voice = sections_of(read("CONTRIBUTING.md"))["Voice"]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", voice, re.MULTILINE)] == list(range(1, 11))
