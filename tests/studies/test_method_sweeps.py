"""The figures of docs/methods/: constants are replaced strictly, tables say what was found, and no link is dead."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from services.cli.demo import BASELINES, baseline_files
from services.core.errors import BadInput
from services.core.settings import SandboxKind, Settings
from services.core.submission import file as submission_file
from services.scorer.metrics import Estimate, Evidence, Models
from studies.baselines.scenarios import Store
from studies.method_sweeps.__main__ import main
from studies.method_sweeps.constants import constant_of, with_constants
from studies.method_sweeps.plots import draw_family
from studies.method_sweeps.points import Point, displacement, run_sweep, table_of
from studies.method_sweeps.sweeps import FAMILIES, Sweep
from tests.bundles import make_tiny_bundle

METHODS = BASELINES.parent / "docs" / "methods"
SWEEPS = [sweep for family in FAMILIES.values() for sweep in family]
SWEEP = Sweep("ssd_random", "ALPHA", (5, 10), "ratio of importances")
SCORED = Point(10, Estimate(0.0634, 0.0321, 0.1109), Estimate(0.9, 0.89, 0.91), 1.26, 0.5, 0.123)


def test_a_constant_is_replaced_and_nothing_else() -> None:
    source = 'A, B = 1, -2.5  # é: "A = 3"\nC: float = 1e-3\nD = True\n\n\ndef f():\n    return A + B\n'

    changed = with_constants(source, {"B": 0.25, "C": 1, "A": 10, "D": False})

    assert changed == 'A, B = 10, 0.25  # é: "A = 3"\nC: float = 1\nD = False\n\n\ndef f():\n    return A + B\n'
    assert with_constants(source, {}) == source
    assert constant_of(source, "B").value == -2.5


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("B = 1\n", "assigned 0 times"),
        ("A = 1\nA = 2\n", "assigned 2 times"),
        ("A = 1\nfor A in range(3):\n    pass\n", "assigned 2 times"),
        ("A = 1\nA += 1\n", "assigned 2 times"),
        ("def f():\n    A = 1\n", "0 of them as a constant"),
        ("A, B = 1, 2, 3\n", "0 of them as a constant"),
        ("A = 2 ** 3\n", "no plain number"),
        ("A = 'one'\n", "no plain number"),
    ],
)
def test_a_constant_that_is_not_there_once_is_refused(source: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        with_constants(source, {"A": 3})


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: f"{sweep.file}-{sweep.constant}")
def test_every_point_of_every_sweep_is_a_submission(sweep: Sweep) -> None:
    entries = [sweep.entry(value) for value in sweep.values]

    assert len({entry.digest for entry in entries}) == len(entries)
    for entry, value in zip(entries, sweep.values, strict=True):
        submission_file.check(f"{entry.name}.py", entry.source)
        assert constant_of(entry.source.decode(), sweep.constant).value == value
    if not sweep.others and sweep.default in sweep.values:
        same = sweep.entry(sweep.default).source.decode()
        assert {name: constant_of(same, name).value for name in [sweep.constant]} == {sweep.constant: sweep.default}


def test_the_table_marks_the_default_and_says_what_failed() -> None:
    text = table_of(SWEEP, [Point(5, failure="timeout"), SCORED])

    assert text.splitlines() == [
        "| ssd_random: ALPHA | F / ceiling | 95% interval | utility | shift | spread | s a run |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| 5 | failed: timeout | – | – | – | – | – |",
        "| 10 (default) | 0.063 | 0.032 to 0.111 | 0.900 | 1.3 | 0.50 | 0.12 |",
    ]


def test_the_picture_shows_every_sweep_and_says_the_best_point() -> None:
    wide = Point(5, Estimate(1.4, 0.2, 5.0), Estimate(0.5, 0.4, 0.6), 2.0, 3.0, 0.1)
    svg = draw_family("dampening", [(SWEEP, [wide, SCORED]), (SWEEP, [Point(5, failure="timeout"), SCORED])])

    texts = [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]
    assert texts.count("ssd_random") == 2
    assert texts.count("forgetting, F / ceiling") == 1
    assert "ssd_random does best at ALPHA 5, with F at 1.40 of the ceiling and utility 0.50" in svg
    assert draw_family("dampening", [(SWEEP, [SCORED])]) == draw_family("dampening", [(SWEEP, [SCORED])])


def test_displacement_is_told_in_the_oracles_deviations() -> None:
    """Confidence in the true class of two is the difference of the logits."""
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(2000, 5))

    def models(confidence: NDArray[np.float64]) -> Models:
        logits = np.stack([confidence, np.zeros_like(confidence)], axis=2).astype(np.float32)
        blank = np.zeros(len(confidence))
        return Models(logits, blank, blank)

    evidence = Evidence(
        unlearned=models(5 + 1.5 * drawn),
        oracle=models(2 + 3 * generator.normal(size=(2000, 5))),
        forget_labels=np.zeros(5, dtype=np.int64),
    )

    shift, spread = displacement(evidence)

    assert shift == pytest.approx(1.0, abs=0.1)
    assert spread == pytest.approx(0.5, abs=0.05)


def test_points_are_read_where_they_were_run_and_a_failure_is_a_point(tmp_path: Path) -> None:
    """What ran is kept in the store's own format; `test_baseline_scenarios.py` has it run."""
    bundle = make_tiny_bundle(tmp_path / "tiny", oracle_seeds=16)
    store = Store(Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.PROCESS, worker_slots=1), tmp_path / "kept")
    sweep = Sweep("finetune", "EPOCHS", (1, 2), "passes")
    steps: list[int] = []
    for value, failure in ((1, None), (2, "timeout")):
        place = store.place(bundle, sweep.entry(value), 16)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"run_s": 0.5, "failure": failure, "message": ""}))
        place.with_suffix(".safetensors").write_bytes(bundle.oracle().to_bytes())

    good, bad = run_sweep(store, bundle, sweep, 16, lambda: steps.append(1))

    assert (good.value, good.shift, good.spread, good.run_s) == (1, 0.0, 1.0, 0.5)
    assert good.utility is not None
    assert good.utility.value == 1.0
    assert good.quality is not None
    assert bad == Point(2, failure="timeout")
    assert len(steps) == 2


def test_too_few_runs_and_an_unknown_family_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["all", "--runs", "7"], ["nothing"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "error" in capsys.readouterr().err


def test_every_baseline_is_named_on_a_page_and_in_the_index() -> None:
    index = (METHODS / "README.md").read_text(encoding="utf-8")
    pages = "".join(page.read_text(encoding="utf-8") for page in METHODS.glob("*.md") if page.name != "README.md")
    certified = sorted((BASELINES / "certified").glob("[!_]*.py"))

    for file in (*baseline_files(), *certified):
        link = f"../../baselines/{file.relative_to(BASELINES)}"
        assert f"({link})" in index, f"docs/methods/README.md has no row of {link}"
        assert file.stem in {"retrain", "identity"} or f"`{file.stem}`" in pages


@pytest.mark.parametrize("page", sorted(METHODS.glob("*.md")), ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))

    missing = [target for target in targets if not re.match(r"https?:", target) and not (page.parent / target).exists()]
    assert not missing
    assert page.stem == "README" or any(target.endswith(".svg") for target in targets)


def test_every_family_has_a_page_that_shows_its_figure() -> None:
    for name in FAMILIES:
        text = (METHODS / f"{name}.md").read_text(encoding="utf-8")
        assert f"../images/method-{name}.svg" in text
        assert f"python -m studies.method_sweeps {name}" in text
