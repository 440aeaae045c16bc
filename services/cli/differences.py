"""What differs between a submission's runs on a platform and the runs of its replay here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Difference", "Here", "differences"]

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same on both sides."""

    what: str
    there: str
    here: str

    @property
    def words(self) -> str:
        """Say it in one line."""
        return f"{self.what}: {self.there} there, {self.here} here"


@dataclass(frozen=True, slots=True)
class Here:
    """How a replay runs."""

    benchmark: str
    digest: str  # of the benchmark
    environment: str
    device: str
    runs: int
    provenance: Mapping[str, str]  # of the sandbox and the environment


def differences(there: Mapping[str, Any], here: Here) -> list[dict[str, str]]:
    """Compare what the server told of a submission's runs with a replay. What nobody knows is not compared."""
    environment, benchmark, limits = there["environment"], there["benchmark"], there["limits"]
    compared = [
        Difference("benchmark", *_benchmarks(benchmark, here)),
        Difference("environment", environment["name"], here.environment),
        Difference("device", environment["device"], here.device),
        *(
            Difference(title, environment[name], here.provenance.get(key, ""))
            for title, name, key in (
                ("sandbox", "sandbox", "sandbox"),
                ("sandbox image", "digest", "image_id"),
                ("Python", "python", "python"),
                ("torch", "torch", "torch"),
            )
        ),
        Difference("runs", str(limits["seeds"]), str(here.runs)),
    ]
    found = [one for one in compared if one.there and one.here and one.there != one.here]
    found.append(Difference("random seeds", "secret", "drawn anew"))
    found.append(Difference("speed of the machine", "that of a worker", "that of this machine, under the same limits"))
    return [asdict(one) | {"words": one.words} for one in found]


def _benchmarks(there: Mapping[str, Any], here: Here) -> tuple[str, str]:
    if there["digest"] == here.digest:
        return "", ""
    scenario = f" with scenario {there['scenario']}" if there["scenario"] else ""
    return f"{there['name']} ({there['digest'][:12]}){scenario}", f"{here.benchmark} ({here.digest[:12]})"
