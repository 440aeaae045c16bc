"""Holds what a submission imports against what its phase's environment has, before it costs a run."""

from collections.abc import Iterable

from services.core.models import EnvironmentRow
from services.core.submission.imports import Imported
from services.core.submission.source import Rejected

__all__ = ["MissingPackage", "require_packages"]

MAX_NAMED = 5
KNOWN = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "matplotlib",
    "seaborn",
    "PIL",
    "einops",
    "tqdm",
)


class MissingPackage(Rejected):
    code = "missing_package"


def require_packages(imports: Iterable[Imported], environment: EnvironmentRow) -> list[str]:
    """Refuse an entry point that cannot be imported; return a warning for each import that may fail later.

    Raises MissingPackage.
    """
    missing = {one.name: one for one in reversed(list(imports)) if one.name not in environment.modules}
    found = list(missing.values())[::-1]
    surely = [one for one in found if one.at_once]
    if surely:
        raise MissingPackage(
            " ".join(_told(one, environment) for one in surely[:MAX_NAMED]),
            f"The environment has {', '.join(name for name in KNOWN if name in environment.modules)} and what these "
            "need. Do without it, or, if it is a file of yours or pure Python, put it into your .zip.",
        )
    return [f"{_told(one, environment)} The run fails if it comes there." for one in found[:MAX_NAMED]]


def _told(one: Imported, environment: EnvironmentRow) -> str:
    return f"{one.file}, line {one.line} imports `{one.name}`, which is not in the environment `{environment.name}`."
