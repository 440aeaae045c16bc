"""The page docs/baselines.md: its words and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.benchmarks.definitions import Definition
from services.benchmarks.scenarios import Class, Subclass
from services.core.bundle.manifest import Manifest
from studies.baselines.published import PAPERS, SCORES
from studies.baselines.tables import BoardRow, ScenarioRow, board_table, failures, published_table, scenario_table

__all__ = ["Board", "Machine", "ScenarioPart", "write_page"]


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of all runs."""

    cores: int
    torch: str
    sandbox: str
    torch_inside: str | None = None  # in the sandbox, where entries run
    gpu: str | None = None  # on which convolutional networks ran

    def __str__(self) -> str:
        gpu = f"{self.gpu} for what is not an mlp" if self.gpu else "no GPU"
        inside = f" with torch {self.torch_inside}" if self.torch_inside else ""
        return (
            f"Machine: {self.cores} cores, {gpu}.\n"
            f"Entries ran in the sandbox `{self.sandbox}`{inside}; benchmarks were built with torch {self.torch}."
        )


@dataclass(frozen=True, slots=True)
class Board:
    """One benchmark's board."""

    manifest: Manifest
    seeds: int
    rows: Sequence[BoardRow]


@dataclass(frozen=True, slots=True)
class ScenarioPart:
    """One benchmark's table in the form of the SSD paper."""

    manifest: Manifest
    definition: Definition
    runs: int
    rows: Sequence[ScenarioRow]


HEAD = """# Baselines

Every file of `baselines/`, through the real pipeline. `make baselines` (`python -m studies.baselines`) made this
page, words and numbers; run it again rather than edit it. {machine}
{missing}
## How to read it

- Each entry went up through the HTTP API, ran in the sandbox, was measured and scored by the services, and stands on
  a board of its benchmark. `identity` and `retrain` are references and have no rank.
- **F**, **utility** and **final score** are those of `neurips-2023`, by which the boards rank, so that they compare
  with 2023. The interval says where the score would lie if the same entry were run again.
- **tie**: an entry joins the group of the highest entry that the paired test does not separate it from. Groups chain:
  if one uncertain entry is near the top, its group holds entries that are well apart from each other.
- **F / ceiling** is that of `lethe-1`: 1 is as good as a second oracle. It counts near-duplicates once, and gives 0 to
  fewer than 8 models that differ.
- **epsilon ≥**: the largest sound lower bound that was certified for any forget example, at 95% confidence for all
  claims together. 0 says that nothing was proven, not that nothing is left:
  {claims}
- **models** counts different checkpoints. Equal models score 0 by rule, however well they forget.
  {fixed}
- **of retraining** is the time of a run over that of `retrain` on the same machine, beside as many others; other
  work on the machine distorts it. Entries rank up to 100% here; a competition's default is 20%.
- `retrain` runs with the recipe of the benchmark at hand, which the oracle had; the loaders' batches are of 64, as
  the recipes say. Every other entry runs with its defaults, tuned to no benchmark.

[scoring.md](scoring.md) defines the metrics, [benchmarks.md](benchmarks.md) the benchmarks.
"""

PUBLISHED = """## What others published

None of these numbers was measured here, and none compares directly: F depends on the oracle's spread, hence on the
benchmark.

{table}
"""

SCENARIOS = """## Scenarios of the SSD paper

Some clean examples at random, one class, one subclass: judged model by model, as in the paper, by the columns of the
suite `ssd`. A benchmark that F cannot judge has no board, so these runs are those of `lethe evaluate`: the same
sandbox, the same scorer. Mean ± standard deviation over {runs} runs.

- **D_r**: accuracy on test images, without those of the forgotten class or subclass. **D_f**: on test images of the
  forgotten class or subclass; on the forget set if examples are forgotten at random, as in the paper.
- **retain set**, **forget set**: accuracy on the training images.
- **MIA**: share of the forget set that an attack on entropies takes for members. **ZRF**: likeness to untrained
  models there.
- For D_f, MIA and ZRF the good value is that of `oracle`, {runs} retrained models, not the lowest.
- The last column is the paper's (arXiv 2308.07707, RTX 4090, times of a whole run), per cent. Other data and models:
  only the pattern compares. Its `retrain` reset only the last layer, and its MIA halved the regression's penalty.
"""


def write_page(machine: Machine, boards: Sequence[Board], scenarios: Sequence[ScenarioPart], *, baselines: int) -> str:
    """Write the whole page."""
    rows = [row for board in boards for row in board.rows]
    names = sorted({row.entry for row in rows})
    parts = [
        HEAD.format(
            machine=machine,
            missing=_missing(boards, baselines),
            claims=_claims(boards),
            fixed=_fixed(rows),
        ),
        *(_board(board) for board in boards),
        PUBLISHED.format(table=published_table(names, SCORES)),
    ]
    if scenarios:
        parts += [SCENARIOS.format(runs=scenarios[0].runs), *(_scenario(part) for part in scenarios)]
    return "\n".join(parts)


def _missing(boards: Sequence[Board], baselines: int) -> str:
    """List the boards on which entries are missing."""
    short = [f"{len(one.rows)} of {baselines} entries on `{one.manifest.name}`" for one in boards]
    whole = all(len(one.rows) == baselines for one in boards)
    return "" if whole else f"\nUnfinished: {', '.join(short)} so far.\n"


def _board(board: Board) -> str:
    manifest = board.manifest
    words = (
        f"## {manifest.title} (`{manifest.name}`): {board.seeds} runs\n\n"
        f"{manifest.counts.forget} examples to forget: {manifest.scenario}. {manifest.architecture}, "
        f"{_recipe(manifest)}. Ceiling of F: {manifest.fitness.ceiling:.3f} for {manifest.oracle_seeds} models.\n\n"
    )
    return words + board_table(board.rows) + "\n" + _failures(board.rows)


def _scenario(part: ScenarioPart) -> str:
    manifest, scenario = part.manifest, part.definition.scenario
    kind = "subclass" if isinstance(scenario, Subclass) else "class" if isinstance(scenario, Class) else "random"
    words = (
        f"### {manifest.title} (`{manifest.name}`)\n\n"
        f"{manifest.counts.forget} examples to forget: {manifest.scenario}. {manifest.architecture}, "
        f"{_recipe(manifest)}.\n\n"
    )
    return words + scenario_table(part.rows, PAPERS[kind]) + "\n" + _failures(part.rows)


def _recipe(manifest: Manifest) -> str:
    recipe = manifest.recipe
    steps = f"{recipe['epochs']} epochs of {recipe['optimizer']} at {recipe['learning_rate']:g}"
    return f"{steps}, batches of {recipe['batch_size']}"


def _claims(boards: Sequence[Board]) -> str:
    known = {
        board.seeds: next(row.largest_bound for row in board.rows if row.largest_bound is not None)
        for board in boards
        if any(row.largest_bound is not None for row in board.rows)
    }
    words = [f"with {seeds} models no bound can read above {largest:.2f}" for seeds, largest in sorted(known.items())]
    return ", ".join(words) + "." if words else "few models prove little."


def _fixed(rows: Sequence[BoardRow]) -> str:
    names = sorted({row.entry for row in rows if row.models == 1 and row.failure is None and row.entry != "identity"})
    if not names:
        return "No entry here gives only one."
    listed = ", ".join(f"`{name}`" for name in names)
    verb = "is" if len(names) == 1 else "are"
    drawn = "`ssd_random`, `lfssd_random` and `assd_random` are the same with chance that we added"
    return f"{listed} {verb} deterministic, as published; {drawn}."


def _failures(rows: Sequence[BoardRow | ScenarioRow]) -> str:
    found = failures(rows)
    return f"\nFailed:\n\n{found}\n" if found else ""
