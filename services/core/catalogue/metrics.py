"""The metrics, in the order in which they were added: a new one comes last."""

from services.core.catalogue.entries import MetricInfo
from services.core.errors import BadInput

__all__ = ["DEFAULT_METRIC", "METRICS", "UnknownMetric", "find_metric", "metric_names"]

DEFAULT_METRIC = "neurips-2023"

METRICS: dict[str, MetricInfo] = {
    metric.name: metric
    for metric in (
        MetricInfo(
            name="neurips-2023",
            title="NeurIPS 2023",
            meaning="The score of the NeurIPS 2023 competition: forgetting quality times utility.",
            source="the public scoring code of the NeurIPS 2023 competition, google-deepmind/unlearning_evaluation",
            has_ceiling=False,
        ),
        MetricInfo(
            name="lethe-1",
            title="Lethe 1",
            meaning="The 2023 score made robust to outliers and copies, relative to the quality of retraining itself.",
            source="this project: the 2023 score made robust, described in docs/scoring.md",
            has_ceiling=True,
            perfect=1.0,
        ),
        MetricInfo(
            name="lethe-2",
            title="Lethe 2",
            meaning="How much of what the original model remembers of the forget set is gone, beyond what happens to "
            "examples that nobody forgot, times utility. Forged outputs do not rank.",
            source="this project: memory beyond controls, described in docs/scoring.md",
            has_ceiling=False,
            perfect=1.0,
        ),
    )
}


class UnknownMetric(BadInput):
    code = "unknown_metric"


def find_metric(name: str) -> MetricInfo:
    """Return the metric of this name. Raises UnknownMetric, which lists all names."""
    if name not in METRICS:
        raise UnknownMetric(f"There is no metric {name}. Choose one of: {metric_names()}.")
    return METRICS[name]


def metric_names() -> str:
    """List the names of all metrics for a sentence."""
    return ", ".join(METRICS)
