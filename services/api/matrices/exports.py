"""A matrix as a table for other programs: one line for each entry on each benchmark."""

import csv
import io

from services.api.leaderboard.exports import cell
from services.api.matrices.schemas import MatrixDetail

__all__ = ["COLUMNS", "table"]

OF_ENTRY = ("rank", "mean_rank", "mean_low", "mean_high", "team", "name", "submission_id")
OF_CELL = (
    *("benchmark", "state", "rank", "rank_best", "rank_worst", "final_score", "ci_low", "ci_high"),
    *("forgetting_quality", "utility", "run_s"),
)
COLUMNS = (*(f"overall_{name}" if name == "rank" else name for name in OF_ENTRY), *OF_CELL, "digest", "metric", "seeds")


def table(matrix: MatrixDetail) -> str:
    """Write a matrix as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in matrix.items:
        for column, one in zip(matrix.columns, entry.cells, strict=True):
            values = [getattr(entry, name) for name in OF_ENTRY] + [getattr(one, name) for name in OF_CELL]
            writer.writerow([cell(value) for value in (*values, column.digest, matrix.metric, matrix.seeds)])
    return out.getvalue()
