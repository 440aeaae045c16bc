"""Draws of one benchmark: other splits, forget sets and originals. Some are for tuning, others for reporting."""

import hashlib

from services.benchmarks.order import Order
from services.cli.building import Stages, build_order, read_definition
from services.core.bundle.directory import Bundle
from services.core.settings import Settings
from services.scorer.scoring import forgetting_quality_of

__all__ = ["REPORTING", "TUNING", "find_draw"]

TUNING = ("tuning-1", "tuning-2")
REPORTING = ("report-1", "report-2", "report-3")
SECRET = hashlib.sha256(b"the draws of the tuned baselines").digest()  # in the open: these draws are no contest's


def find_draw(settings: Settings, benchmark: str, draw: str, *, models: int, stages: Stages) -> Bundle:
    """Open a draw of a benchmark with so many models in each oracle; build it if it is not there.

    A draw that is unfit for a contest counts, too: to leave it out would choose draws by their results.
    """
    place = settings.data_dir / "tuning" / f"{benchmark}-{draw}-{models}"
    if (place / "manifest.json").is_file():
        return Bundle(place)
    definition, dataset = read_definition(settings, benchmark, stages)
    order = Order(
        definition=definition,
        dataset=dataset,
        seeds=models,
        quality=forgetting_quality_of,
        name=f"{benchmark}-{draw}",
        secret=SECRET,
        drawn_for=draw,
        originals=definition.originals,
    )
    return build_order(order, place, [], stages)
