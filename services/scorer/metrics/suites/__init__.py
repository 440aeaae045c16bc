"""Secondary columns, one file per source. Importing this package registers every suite."""

from services.scorer.metrics.suites.average_gap import average_gap
from services.scorer.metrics.suites.controls import controls
from services.scorer.metrics.suites.klom import klom
from services.scorer.metrics.suites.memory import memory
from services.scorer.metrics.suites.placebo import placebo
from services.scorer.metrics.suites.rmia import rmia
from services.scorer.metrics.suites.robustness import robustness
from services.scorer.metrics.suites.ssd import ssd
from services.scorer.metrics.suites.starting_kit import starting_kit
from services.scorer.metrics.suites.tug_of_war import tug_of_war
from services.scorer.metrics.suites.u_lira import u_lira

__all__ = [
    "average_gap",
    "controls",
    "klom",
    "memory",
    "placebo",
    "rmia",
    "robustness",
    "ssd",
    "starting_kit",
    "tug_of_war",
    "u_lira",
]
