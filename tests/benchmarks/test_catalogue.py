"""The catalogue of benchmarks: every name once, and what the documentation's table says of each."""

import re
from pathlib import Path

from services.benchmarks.architecture import ARCHITECTURES
from services.benchmarks.catalogue import DEFINITIONS, RECORDS
from services.benchmarks.datasets.registry import DATASETS

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
ROW = re.compile(r"^\| (`[^|]+`) \|.*\| (yes|no) \|$", re.MULTILINE)


def test_every_name_is_used_once() -> None:
    assert [record.name for record in RECORDS] == list(DEFINITIONS)


def test_every_record_names_a_dataset_and_an_architecture_that_exist() -> None:
    assert {record.dataset for record in RECORDS} <= set(DATASETS)
    assert {record.architecture for record in RECORDS} <= set(ARCHITECTURES)


def test_the_documentation_lists_exactly_these_and_says_which_need_files() -> None:
    documented: list[tuple[str, bool]] = []
    for names, needs_files in ROW.findall(PAGE.read_text()):
        first, *suffixes = re.findall(r"`([^`]+)`", names)
        documented += [(name, needs_files == "yes") for name in (first, *(_full(first, one) for one in suffixes))]
    assert sorted(documented) == sorted((record.name, record.needs_data) for record in RECORDS)


def _full(first: str, name: str) -> str:
    """Write out a name that the table shortens: `-class` after `cifar10-random`, `-d2d` after `certified-digits`."""
    if not name.startswith("-"):
        return name
    longer = first + name
    return longer if longer in DEFINITIONS else first.rpartition("-")[0] + name
