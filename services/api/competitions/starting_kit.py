"""Packs the starting kit into one zip for download, filled in with this server's address and the names of a phase.

The kit's own files name made-up ones, so that they can be read and tried as they are.
"""

import io
import zipfile
from functools import cache
from pathlib import Path

from services.core.errors import NotFound
from services.core.models import EnvironmentRow, Phase

__all__ = ["starting_kit"]

FOLDER = Path(__file__).parents[3] / "starting_kit"
SERVER = "https://lethe.example.org"
EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed date, so that the same files give the same bytes


def starting_kit(origin: str, phase: Phase | None = None, environment: EnvironmentRow | None = None) -> bytes:
    """Zip the kit's files for whoever reaches this server at `origin`; for a phase, also the list of its packages.

    Raises NotFound if this installation does not include the kit.
    """
    names = {SERVER: origin} | (_names(phase) if phase else {})
    files = {name: _filled(content, names) for name, content in _files().items()}
    if phase is not None:
        files["README.md"] = _of_phase(phase, origin) + files["README.md"]
    if environment is not None:
        files["packages.txt"] = _packages(environment)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"starting_kit/{name}", EPOCH), content)
    return packed.getvalue()


def _names(phase: Phase) -> dict[str, str]:
    """Pair what the kit's files call things with what they are called in a phase."""
    return {
        "my-competition": phase.competition.slug,
        "--phase feedback": f"--phase {phase.slug}",
        "PHASE: feedback": f"PHASE: {phase.slug}",
        "--benchmark digits": f"--benchmark {phase.benchmark.name}",
    }


def _filled(content: str, names: dict[str, str]) -> str:
    for made_up, name in names.items():
        content = content.replace(made_up, name)
    return content


def _of_phase(phase: Phase, origin: str) -> str:
    slug = phase.competition.slug
    lines = [
        f"> This kit is for phase `{phase.slug}` of the competition `{slug}` at {origin}/competitions/{slug}: "
        f"benchmark `{phase.benchmark.name}`, environment `{phase.environment}`."
    ]
    if phase.final_part is not None:
        lines.append(
            f"> The phase takes no uploads. Enter a scored submission: `lethe select SUBMISSION --phase {phase.slug}`."
        )
    return "\n>\n".join(lines) + "\n\n"


@cache
def _files() -> dict[str, str]:
    files = [path for path in sorted(FOLDER.glob("*")) if path.is_file()] if FOLDER.is_dir() else []
    if not files:
        raise NotFound("This installation has no starting kit. Download it from Lethe's repository: starting_kit/.")
    return {path.name: path.read_text() for path in files}


def _packages(environment: EnvironmentRow) -> str:
    """List the packages as pip's requirements."""
    about = (
        f"# The environment {environment.name}: Python {environment.python} and these packages, without a network.\n"
    )
    return about + "".join(f"{name}=={version}\n" for name, version in environment.packages.items())
