"""The table of acceptance, as Markdown, and its rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.scorer.metrics import FORGET_SET_PINNED, TOO_FEW_EFFECTIVE_MODELS
from services.scorer.scoring import Report
from studies.forgery.entries import Group

__all__ = ["Row", "broken", "print_table"]

UNRANKING = (FORGET_SET_PINNED, TOO_FEW_EFFECTIVE_MODELS)
TOLD = ("oracle_checkpoints", "stratified_checkpoints")  # alarms that take an entry to the organiser
COLUMNS = (
    "",
    "entry",
    "forgetting",
    "memory",
    "drift",
    "balance",
    "joint audit, forget / test",
    "F, neurips-2023",
    "flags, alarms",
)
LEAST_OF_RETRAINING, MOST_OF_NOTHING = 0.9, 0.02


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with its report by lethe-2 and its forgetting quality by the other metrics."""

    group: Group
    title: str
    report: Report
    others: dict[str, float]

    @property
    def quality(self) -> float:
        return self.report.card.forgetting_quality.value

    @property
    def caught(self) -> list[str]:
        """The flags that take its rank, and the alarms that accuse it."""
        flags = [flag for flag in self.report.card.flags if flag in UNRANKING]
        return flags + [alarm.kind for alarm in self.report.alarms if alarm.kind in TOLD]


def print_table(rows: Iterable[Row]) -> None:
    """Print each row once it is there, and at the end the rules that are broken."""
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    done = []
    for row in rows:
        done.append(row)
        print(_line(row), flush=True)
    print()
    for words in broken(done):
        print(f"- Not met: {words}")
    print(f"- {len(done)} entries; {sum(1 for _ in broken(done))} rules not met.")


def broken(rows: Sequence[Row]) -> Iterator[str]:
    """Say which of the rules do not hold: of retraining, of nothing, of partial entries, of forgeries."""
    for row in rows:
        if row.group is Group.RETRAINING and (row.quality < LEAST_OF_RETRAINING or FORGET_SET_PINNED in row.caught):
            yield f"{row.title} gets {row.quality:.3f}; exact retraining should get {LEAST_OF_RETRAINING} or more."
        if row.group is Group.NOTHING and row.quality > MOST_OF_NOTHING:
            yield f"{row.title} gets {row.quality:.3f}; it should get {MOST_OF_NOTHING} at most."
        if row.group is Group.METHOD and FORGET_SET_PINNED in row.caught:
            yield f"{row.title} is honest and is called a forgery."
    partial = [row.quality for row in rows if row.group is Group.PARTIAL]
    if partial != sorted(partial):
        yield "Forgetting does not grow with the share of forgotten examples."
    honest = max((row.quality for row in rows if row.group in {Group.METHOD, Group.RETRAINING}), default=0.0)
    for row in rows:
        if row.group is Group.FORGERY and not row.caught and row.quality >= LEAST_OF_RETRAINING * honest:
            yield f"{row.title} gets {row.quality:.3f} and ranks."


def _line(row: Row) -> str:
    found, card = row.report.suites["memory"], row.report.card
    estimate = card.forgetting_quality
    cells = (
        row.group,
        row.title,
        f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]",
        *(_number(found[name]) for name in ("memory", "drift", "balance_ratio")),
        f"{_number(found['joint_forget'])} / {_number(found['joint_test'])}",
        f"{row.others['neurips-2023']:.4f}",
        ", ".join([*row.caught, *(flag for flag in card.flags if flag not in row.caught)]) or "",
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
