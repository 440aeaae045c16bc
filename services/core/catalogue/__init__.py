"""The catalogue: all metrics, suite columns, flags and alarms, each with its meaning. Data, no arithmetic.

The scorer computes these, the API serves the catalogue as `GET /api/metrics`, and web app and command read it. A new
metric is an entry in `metrics.py` and a function in `scorer/metrics/`; nothing else names metrics.
"""

from services.core.catalogue.chosen import (
    ChosenColumn,
    UnknownColumn,
    chosen_columns,
    find_column,
    require_column,
)
from services.core.catalogue.entries import AlarmInfo, Better, ColumnInfo, FlagInfo, MetricInfo, SuiteInfo
from services.core.catalogue.marks import ALARMS, FLAGS
from services.core.catalogue.metrics import DEFAULT_METRIC, METRICS, UnknownMetric, find_metric, metric_names
from services.core.catalogue.suites import SUITES

__all__ = [
    "ALARMS",
    "DEFAULT_METRIC",
    "FLAGS",
    "METRICS",
    "SUITES",
    "AlarmInfo",
    "Better",
    "ChosenColumn",
    "ColumnInfo",
    "FlagInfo",
    "MetricInfo",
    "SuiteInfo",
    "UnknownColumn",
    "UnknownMetric",
    "chosen_columns",
    "find_column",
    "find_metric",
    "metric_names",
    "require_column",
]
