"""The benchmarks that can be built by name, one record each.

To add one, copy a record in the module of its dataset and give it a new name.
"""

from services.benchmarks.catalogue.certified import CERTIFIED
from services.benchmarks.catalogue.digits import DIGITS
from services.benchmarks.catalogue.faces import FACES
from services.benchmarks.catalogue.images import IMAGES
from services.benchmarks.definitions import Definition
from services.core.errors import NotFound

__all__ = ["DEFINITIONS", "RECORDS", "UnknownBenchmark", "find_definition"]

RECORDS = DIGITS + FACES + CERTIFIED + IMAGES
DEFINITIONS = {definition.name: definition for definition in RECORDS}


class UnknownBenchmark(NotFound):
    code = "unknown_benchmark"


def find_definition(name: str) -> Definition:
    """Find a definition. Raises UnknownBenchmark, which lists all names."""
    if name not in DEFINITIONS:
        raise UnknownBenchmark(f"There is no benchmark {name}. Choose one of: {', '.join(sorted(DEFINITIONS))}.")
    return DEFINITIONS[name]
