"""The reading order of docs/architecture.md is true: files exist, none comes twice, none on the way is missing."""

from tests.docs.pages import ROOT, in_code, read, rows_of, sections_of

SERVICES = ROOT / "services"
ON_THE_WAY = [
    "api/leaderboard",
    "api/submissions",
    "core/board",
    "core/bundle",
    "core/queue",
    "core/store",
    "core/submission",
    "scorer",
    "worker",
    "worker/notebooks",
    "worker/runner",
    "worker/sandbox",
]


def way() -> str:
    return sections_of(read("docs/architecture.md"))["The way of a submission"]


def test_files_of_the_reading_order_exist_and_come_once() -> None:
    named = [name for cells in rows_of(way()) for name in in_code(cells[1])]
    assert [name for name in named if not (SERVICES / name).exists()] == []
    assert sorted(named) == sorted(set(named))


def test_no_file_of_the_rooms_on_the_way_is_left_out() -> None:
    there = {
        str(path.relative_to(SERVICES))
        for room in ON_THE_WAY
        for path in (SERVICES / room).glob("*.py")
        if path.name != "__init__.py"
    }
    assert there - set(in_code(way())) == set()
