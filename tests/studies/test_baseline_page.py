"""The page docs/baselines.md: what it says depends on what was run."""

from services.benchmarks.catalogue import DEFINITIONS
from services.core.bundle.manifest import Counts, Fitness, Manifest
from studies.baselines.page import Board, Machine, ScenarioPart, write_page
from studies.baselines.tables import BoardRow, ScenarioRow, Spread

MACHINE = Machine(2, "2.13.0", "docker", "1.13.0a0")
FITNESS = Fitness(
    ceiling=0.2,
    placebo_ratio=3.0,
    original_forget_accuracy=1.0,
    oracle_retain_accuracy=1.0,
    oracle_test_accuracy=1.0,
)


def manifest(name: str) -> Manifest:
    definition = DEFINITIONS[name]
    return Manifest(
        name=name,
        title=definition.title,
        dataset="digits",
        licence="CC-BY-4.0",
        scenario="some of them",
        classes=10,
        input_shape=(64,),
        counts=Counts(retain=40, forget=8, validation=6, test=12),
        architecture="mlp",
        checkpoint=(),
        recipe=definition.recipe.as_dict(),
        oracle_seeds=512,
        seed_commitment="0" * 64,
        fitness=FITNESS,
        versions={},
        files={},
    )


def test_page_says_what_was_run_and_what_bounds_can_read() -> None:
    rows = [
        BoardRow(entry="retrain", reference=True, models=512, largest_bound=3.6666),
        BoardRow(entry="ssd", rank=1, models=1, largest_bound=3.6666),
        BoardRow(entry="scrub", failure="timeout", message="too slow"),
    ]
    page = write_page(MACHINE, [Board(manifest("digits"), 512, rows)], [], baselines=24)

    assert "Unfinished: 3 of 24 entries on `digits` so far." in page
    assert "Machine: 2 cores, no GPU." in page
    assert "Entries ran in the sandbox `docker` with torch 1.13.0a0; benchmarks were built with torch 2.13.0." in page
    assert "with 512 models no bound can read above 3.67." in page
    assert "`ssd` is deterministic, as published" in page
    assert "## Handwritten digits (`digits`): 512 runs" in page
    assert "8 examples to forget: some of them. mlp, 40 epochs of sgd at 0.1, batches of 64." in page
    assert "\nFailed:\n\n- `scrub`: timeout: too slow\n" in page
    assert "Scenarios" not in page
    assert "Unfinished" not in write_page(MACHINE, [Board(manifest("digits"), 512, rows)], [], baselines=3)


def test_scenarios_stand_beside_the_numbers_of_the_paper() -> None:
    parts = [
        ScenarioPart(manifest(name), DEFINITIONS[name], 16, [ScenarioRow(entry="ssd", test_retained=Spread(1.0, 0.0))])
        for name in ("digits-pairs-random", "digits-pairs-class", "digits-pairs-subclass")
    ]
    page = write_page(MACHINE, [], parts, baselines=0)

    assert [line.rpartition(" | ")[2] for line in page.splitlines() if line.startswith("| `ssd`")] == [
        "88.68 ± 3.36 / 93.61 ± 4.99 / 72.65, 121 s |",
        "74.54 / 0 / 2.20, 120 s |",
        "82.43 / 2.17 / 10.80, 121 s |",
    ]
    assert "over 16 runs" in page


def test_prose_keeps_to_the_width_of_the_other_pages() -> None:
    page = write_page(MACHINE, [Board(manifest("digits"), 512, [])], [], baselines=0)
    assert max(len(line) for line in page.splitlines() if not line.startswith("|")) <= 130
