"""docs/reference/errors.md has every stable code with its status, and none that nobody raises."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator

import services
from services.core.errors import LetheError
from tests.docs.pages import ROOT, in_code, read, rows_of, sections_of

SANDBOXED = "services.benchmarks.architectures."  # files of bundles: they import torchvision as a sandbox has it


def raised() -> dict[str, set[int]]:
    """The codes of all subclasses of LetheError in `services`, each with its statuses."""
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not module.name.startswith(SANDBOXED) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, set[int]] = {}
    kinds: list[type[LetheError]] = [LetheError, *_below(LetheError)]
    for kind in kinds:
        if kind.__module__.startswith("services."):
            found.setdefault(kind.code, set()).add(kind.status)
    return found


def _below(kind: type[LetheError]) -> Iterator[type[LetheError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def answered() -> dict[str, set[int]]:
    """The codes that the API answers with by itself: in calls of `problem`, and for the statuses of the web server."""
    found: dict[str, set[int]] = {}
    for path in (ROOT / "services/api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name("problem"), args=[ast.Constant(int(status)), ast.Constant(str(code)), *_]):
                    found.setdefault(code, set()).add(status)
                case ast.Assign(targets=[ast.Name("_CODES")], value=ast.Dict(keys, values)):
                    for key, value in zip(keys, values, strict=True):
                        assert isinstance(key, ast.Constant)
                        assert isinstance(value, ast.Constant)
                        found.setdefault(str(value.value), set()).add(int(str(key.value)))
                case ast.Call(func=ast.Attribute(ast.Name("_CODES"), "get"), args=[_, ast.Constant(str(code))]):
                    found.setdefault(code, set())
    return found


def documented() -> dict[str, str]:
    """The codes of the page, each with the text of its status."""
    rows = [cells for section in sections_of(read("docs/reference/errors.md")).values() for cells in rows_of(section)]
    found = {in_code(cells[0])[0]: cells[1] for cells in rows}
    assert len(found) == len(rows), "a code stands twice"
    assert all(len(cells) == 4 and all(cells) for cells in rows)
    return found


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    assert {"internal", "invalid_request", "too_large", "not_found", "http_error"} <= set(answered())
    assert set(documented()) == set(raised()) | set(answered())


def test_a_documented_status_is_the_one_that_is_answered() -> None:
    ours, apis = raised(), answered()
    for code, written in documented().items():
        statuses = ours.get(code, set()) | apis.get(code, set())
        assert written == (", ".join(map(str, sorted(statuses))) or "4xx"), code
