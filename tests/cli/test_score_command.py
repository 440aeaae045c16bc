"""`lethe score`, run as a user would: stored measurements, plain arrays, and what is refused."""

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from benches.by_definition import example_epsilon
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.scorer.metrics import SUITES
from tests import command
from tests.bundles import make_tiny_bundle


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module")
def stored(tiny: Bundle) -> Path:
    """The oracle's own models, in another order: an entry that everything is known of."""
    path = tiny.root.parent / "stored.safetensors"
    oracle = tiny.oracle()
    arrays = {name: np.ascontiguousarray(getattr(oracle, name)[::-1]) for name in Measurements.__slots__}
    save_file(arrays, path)
    return path


def environment(directory: Path) -> dict[str, str]:
    return {"LETHE_DATA_DIR": str(directory / "var"), "COLUMNS": "500"}


def lethe(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command.lethe_here(*arguments, **environment(directory))


def score(directory: Path, *arguments: str) -> dict[str, Any]:
    done = lethe(directory, "score", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def refusal(directory: Path, *arguments: str) -> str:
    done = lethe(directory, "score", "--json", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def save_arrays(directory: Path, **arrays: np.ndarray) -> list[str]:
    options = []
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array)
        options += [f"--{name}", str(directory / f"{name}.npy")]
    return options


@pytest.mark.parametrize("where", ["directory", "file"])
def test_stored_measurements_are_scored_without_running_anything(
    tmp_path: Path, tiny: Bundle, stored: Path, where: str
) -> None:
    oracle = tiny.root if where == "directory" else tiny.hidden / "oracle.safetensors"

    result = score(tmp_path, str(stored), "--oracle", str(oracle), "--metric", "neurips-2023")

    assert (result["forgetting_quality"], result["utility"]) == (1.0, pytest.approx(1.0))
    assert result["benchmark"]["digest"] == tiny.manifest.digest
    assert result["epsilons"] == [0.0] * 8
    assert {alarm["kind"] for alarm in result["alarms"]} == {"above_ceiling", "oracle_checkpoints"}
    assert set(result["suites"]) == set(SUITES) - {"robustness", "placebo"}  # these have no such readings
    assert result["suites"]["tug-of-war"]["tug_of_war"] == pytest.approx(1.0)


def test_single_readings_in_a_directory_are_stacked(tmp_path: Path, tiny: Bundle, stored: Path) -> None:
    readings = tmp_path / "readings"
    readings.mkdir()
    whole = Measurements.from_file(stored)
    for seed in range(len(whole)):
        one = {name: np.ascontiguousarray(getattr(whole, name)[seed]) for name in Measurements.__slots__}
        save_file(one, readings / f"{seed:04}.safetensors")

    options = ("--oracle", str(tiny.root), "--metric", "lethe-1")

    assert score(tmp_path, str(readings), *options) == score(tmp_path, str(stored), *options)


def test_report_is_one_page_that_fetches_nothing(tmp_path: Path, tiny: Bundle, stored: Path) -> None:
    page = tmp_path / "report.html"
    score(tmp_path, str(stored), "--oracle", str(tiny.root), "--metric", "lethe-1", "--report", str(page))

    text = page.read_text()
    parser = HTMLParser()
    parser.feed(text)
    parser.close()
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert text.count("<svg") >= 3


def test_the_report_shows_the_metric_card_beside_the_numbers_of_the_score(
    tmp_path: Path, tiny: Bundle, stored: Path
) -> None:
    page, card = tmp_path / "report.html", tmp_path / "card.json"
    share = {"value": 0.05, "low": 0.0, "high": 0.2}
    column = {"suite": "klom", "name": "forget_mean", "low": None, "high": -1.0, "false_alarms": share}
    written = {
        "benchmark": tiny.manifest.digest,
        "models": 16,
        "draws": 40,
        "planted": [0.02, 0.5],
        "columns": [
            column | {"power": {"0.02": share, "0.5": share | {"value": 0.85}}},
            column | {"suite": None, "name": "lethe-1", "low": 0.5, "high": None, "power": {}},
        ],
        "alarms": [{"kind": "near_duplicates", "false_alarms": share, "power": {}}],
    }
    card.write_text(json.dumps(written))
    options = [str(stored), "--oracle", str(tiny.root), "--metric", "lethe-1"]
    score(tmp_path, *options, "--report", str(page), "--card", str(card))

    text = page.read_text()
    section = text[text.index('id="trust"') : text.index('id="examples"')]
    assert re.search(r"Forget, mean</th>.*?<td>at most -1</td><td>yes</td>.*?5%.*?85%", section)
    assert re.search(r"lethe-1</th>.*?<td>at least 0.5</td><td>(yes|no)</td>", section)
    assert [int(number) for number in re.findall(r"<h2[^>]*>(\d)\.", text)] == [1, 2, 3, 4, 5, 6, 7]

    score(tmp_path, *options, "--report", str(page))
    assert 'id="trust"' not in page.read_text()
    assert "--report" in refusal(tmp_path, *options, "--card", str(card))
    card.write_text(json.dumps(written | {"benchmark": "0" * 64}))
    assert "another benchmark" in refusal(tmp_path, *options, "--report", str(page), "--card", str(card))
    card.write_text("[]")
    assert "no metric card" in refusal(tmp_path, *options, "--report", str(page), "--card", str(card))


def test_arrays_are_scored_as_the_definition_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    unlearned, retrained = rng.normal(0.5, 1, (24, 5)), rng.normal(size=(24, 5))

    result = score(
        tmp_path, *save_arrays(tmp_path, unlearned=unlearned, retrained=retrained), "--metric", "neurips-2023"
    )

    expected = [example_epsilon(unlearned[:, s], retrained[:, s]) for s in range(5)]
    assert result["epsilons"] == pytest.approx(expected, abs=1e-5)
    points = [2.0 ** -np.floor(epsilon / 0.5) if epsilon < 4 else 0.0 for epsilon in expected if epsilon is not None]
    assert result["forgetting_quality"] == pytest.approx(np.mean(points))
    assert result["forgetting_quality_low"] <= result["forgetting_quality"] <= result["forgetting_quality_high"]


@pytest.mark.parametrize("models", [3, 5])
def test_few_models_are_scored_as_published(tmp_path: Path, models: int) -> None:
    """A board gives nothing below 8 distinct models; whoever asks for the published number gets it."""
    rng = np.random.default_rng(models)
    unlearned, retrained = rng.normal(size=(models, 12)), rng.normal(size=(models, 12))

    result = score(tmp_path, *save_arrays(tmp_path, unlearned=unlearned, retrained=retrained))

    known = [(s, example_epsilon(unlearned[:, s], retrained[:, s])) for s in range(12)]
    answered = [(s, epsilon) for s, epsilon in known if epsilon is not None]
    assert [result["epsilons"][s] for s, _ in answered] == pytest.approx([epsilon for _, epsilon in answered], abs=1e-5)
    buckets = int(np.ceil(np.log(models - 1)) / 0.5)
    points = [2.0 ** -np.floor(e / 0.5) if np.floor(e / 0.5) < buckets else 0.0 for e in result["epsilons"]]
    assert result["forgetting_quality"] == pytest.approx(np.mean(points))


def test_arrays_are_scored_relative_to_a_second_oracle(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    unlearned, retrained, second = (rng.normal(shift, 1, (512, 20)) for shift in (2.0, 0.0, 0.0))
    options = save_arrays(tmp_path, unlearned=unlearned, retrained=retrained, second=second)

    result = score(tmp_path, *options, "--metric", "lethe-1")

    assert 0 < result["forgetting_quality"] < 0.2
    assert result["ceiling_low"] < result["ceiling"] < result["ceiling_high"]
    assert 0 < max(result["epsilon_bounds"]) <= result["largest_certifiable"]
    assert np.mean(result["gaussian_epsilons"]) == pytest.approx(6.0, rel=0.25)


GOOD = np.zeros((8, 3)) + np.arange(8)[:, None]


@pytest.mark.parametrize(
    ("unlearned", "retrained", "says"),
    [
        (GOOD[0], GOOD, "unlearned has 1 axes, [3]; expected 2: [model, example]"),
        (GOOD[:, :2], GOOD, "unlearned has 2 examples on axis 1, but retrained has 3"),
        (GOOD[:0], GOOD, "unlearned is empty on axis 0 (model)"),
        (GOOD, np.where(np.arange(24).reshape(8, 3) == 16, np.nan, GOOD), "retrained is nan at model 5, example 1"),
        (GOOD, np.where(np.arange(24).reshape(8, 3) == 16, -np.inf, GOOD), "(axis 0, index 5)"),
        (GOOD.astype(str), GOOD, "unlearned has dtype"),
    ],
)
def test_bad_arrays_are_refused_naming_axis_and_index(
    tmp_path: Path, unlearned: np.ndarray, retrained: np.ndarray, says: str
) -> None:
    message = refusal(tmp_path, *save_arrays(tmp_path, unlearned=unlearned, retrained=retrained))

    assert says in message
    assert "Traceback" not in message


def test_files_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    good = save_arrays(tmp_path, retrained=GOOD)
    (tmp_path / "noise.npy").write_bytes(b"\x93NUMPY but no more")
    np.savez(tmp_path / "several.npz", one=GOOD, other=GOOD)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)

    for name in ("noise.npy", "several.npz", "objects.npy", "missing.npy"):
        assert name in refusal(tmp_path, *good, "--unlearned", str(tmp_path / name))


def test_wrong_questions_are_answered_with_what_to_do(tmp_path: Path, tiny: Bundle, stored: Path) -> None:
    arrays = save_arrays(tmp_path, unlearned=GOOD, retrained=GOOD)

    assert "Choose one of: neurips-2023, lethe-1" in refusal(tmp_path, *arrays, "--metric", "accuracy")
    assert "Give either" in refusal(tmp_path, *arrays[:2])
    assert "Give either" in refusal(tmp_path, str(stored), *arrays)
    assert "lethe benchmark build" in refusal(tmp_path, str(stored), "--oracle", "nowhere")
    assert "no file" in refusal(tmp_path, str(tmp_path / "none"), "--oracle", str(tiny.root))
    assert "A report needs a file of measurements" in refusal(
        tmp_path, *arrays, "--report", str(tmp_path / "report.html")
    )


def test_places_that_do_not_exist_are_refused_before_any_work(tmp_path: Path, tiny: Bundle, stored: Path) -> None:
    options = (str(stored), "--oracle", str(tiny.root))
    for place in (tmp_path, tmp_path / "none" / "report.html"):
        assert "cannot be written" in refusal(tmp_path, *options, "--report", str(place))
    done = lethe(tmp_path, "evaluate", "entry.py", "--save", str(tmp_path / "none" / "x.safetensors"))
    assert (done.returncode, "cannot be written" in done.stderr) == (1, True)


def test_odd_arrays_are_refused_without_a_traceback(tmp_path: Path) -> None:
    for odd in (np.float64(3.0), np.zeros((2, 2, 2)), GOOD.astype(complex), GOOD > 1, np.full((8, 3), 1e300)):
        message = refusal(tmp_path, *save_arrays(tmp_path, unlearned=np.asarray(odd), retrained=GOOD))
        assert message.startswith("lethe: unlearned")
        assert "Traceback" not in message


def test_text_says_what_json_says_from_a_process_of_its_own(tmp_path: Path, tiny: Bundle, stored: Path) -> None:
    question = ("score", str(stored), "--oracle", str(tiny.root), "--metric", "lethe-1")
    done = command.lethe(*question, check=False, **environment(tmp_path))

    assert done.returncode == 0, done.stderr
    figures = ("forgetting quality", "utility", "final score", "ceiling", "epsilon, proven")
    for word in (*figures, "KL divergence of margins", "Forget, P95", "nats", "alarm"):
        assert word in done.stdout
