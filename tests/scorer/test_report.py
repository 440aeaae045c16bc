"""The report of a score: one file that any browser shows, and that no name in it can break."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.core import catalogue
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import MANIFEST, Manifest
from services.scorer.metrics import (
    METRICS,
    SUITES,
    Alarm,
    AlarmKind,
    Audit,
    BadArray,
    Estimate,
    Evidence,
    Models,
    Predictions,
    ScoreCard,
    confidences,
    raise_alarms,
)
from services.scorer.report import ReportSubject, render_report
from services.scorer.report.fitness import render_fitness
from services.scorer.report.words import interval, number
from tests.bundles import make_tiny_bundle

NOT_ASKED_FOR = ("robustness", "placebo")  # suites of readings that a phase must ask for
VOID = {"meta", "br", "hr", "img", "link", "input"}
TEMPLATE = Path(__file__).parents[2] / "services/scorer/report/base.html"

Confidences = NDArray[np.float64]


class Page(HTMLParser):
    """Read a page strictly: every tag is closed in order. Keeps what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(attribute))]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def drawn(models: int, examples: int, shift: float = 0.0, seed: int = 0) -> Confidences:
    return np.random.default_rng(seed).normal(shift, 1.0, (models, examples))


def evidence_of(unlearned: Confidences, oracle: Confidences) -> Evidence:
    def models(side: Confidences, accuracy: float) -> Models:
        logits = np.stack([side, np.zeros_like(side)], axis=-1).astype(np.float32)
        test = Predictions(np.zeros(side.shape, np.uint8), side.astype(np.float32), side.astype(np.float16))
        return Models(logits, np.full(len(side), accuracy), np.full(len(side), accuracy), test=test)

    labels = np.zeros(unlearned.shape[1], dtype=np.int64)
    return Evidence(
        models(unlearned, 0.9), models(oracle, 0.96), labels, run_s=20.0, originals=models(oracle[:1] + 5, 0.9)
    )


def render(metric: str, models: int, examples: int) -> tuple[str, ScoreCard]:
    evidence = evidence_of(drawn(models, examples, 0.5, seed=1), drawn(models, examples, seed=2))
    card = METRICS[metric](evidence)
    unlearned, oracle = (
        confidences(side.forget_logits, evidence.forget_labels) for side in (evidence.unlearned, evidence.oracle)
    )
    suites = {name: suite(evidence) for name, suite in SUITES.items() if suite.applies(evidence)}
    alarms = raise_alarms(evidence, card)
    text = render_report(ReportSubject("entry"), card, unlearned=unlearned, oracle=oracle, suites=suites, alarms=alarms)
    return text, card


def card_of(epsilons: list[float], **changes: Any) -> ScoreCard:
    plain = ScoreCard(
        metric="neurips-2023",
        forgetting_quality=Estimate(0.178, 0.15, 0.212),
        utility=Estimate(0.9871, 0.9866, 0.9875),
        final_score=Estimate(0.1757, 0.148, 0.21),
        epsilons=np.array(epsilons, dtype=np.float32),
        points=np.full(len(epsilons), 0.25),
        models=64,
        distinct_models=63,
        effective_models=62,
        flags=(),
        halves=np.zeros((4, 2)),
    )
    return replace(plain, **changes)


def render_card(card: ScoreCard, subject: ReportSubject | None = None, models: int = 64, **more: Any) -> str:
    unlearned, oracle = (drawn(models, len(card.epsilons), seed=seed) for seed in (3, 4))
    return render_report(subject or ReportSubject("entry"), card, unlearned=unlearned, oracle=oracle, **more)


@pytest.mark.parametrize("metric", sorted(METRICS))
@pytest.mark.parametrize(("models", "examples"), [(8, 5), (8, 1), (40, 9)])
def test_report_of_real_score_is_well_formed(metric: str, models: int, examples: int) -> None:
    text, card = render(metric, models, examples)
    page = Page(text)
    for estimate in (card.final_score, card.forgetting_quality, card.utility):
        assert interval(estimate) in page.text
    assert page.count("svg") == 2 + (card.audit is not None) + (6 if examples > 6 else examples)
    computed = [suite for name, suite in catalogue.SUITES.items() if name not in NOT_ASKED_FOR]
    assert all(suite.title in page.text for suite in computed)


@pytest.mark.parametrize("models", [1, 2])
def test_report_of_so_few_models_that_no_bucket_exists(models: int) -> None:
    page = Page(render_card(card_of([50.0, 1.0, 0.0], models=models), models=models))
    assert "0 or more 0 3" in page.text


def test_report_has_ids_that_are_unique_and_references_that_resolve() -> None:
    text, _ = render("lethe-1", 32, 8)
    page = Page(text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = re.findall(r"url\(#([^)]+)\)", text)
    targets += [link.removeprefix("#") for link in [*page.values("xlink:href"), *page.values("href")]]
    targets += page.values("aria-labelledby")
    assert targets
    assert set(targets) <= set(ids)


def test_report_fetches_nothing_and_runs_nothing() -> None:
    text, _ = render("lethe-1", 16, 3)
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in page.tags}
    assert {name for _, attributes in page.tags for name in attributes if name.startswith("on")} == set()
    assert set(re.findall(r"https?://[^\"' <]*", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in text
    policy = next(attributes["content"] for _, attributes in page.tags if attributes.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_report_is_the_same_bytes_for_the_same_input() -> None:
    assert render("lethe-1", 16, 7)[0] == render("lethe-1", 16, 7)[0]


def test_report_shows_hostile_texts_as_they_are() -> None:
    attack = "</title><script>alert('x')</script>\"' onload=\"x {{ 7 * 7 }} &amp;"
    subject = ReportSubject(attack, benchmark=attack, command=attack, provenance={attack: attack})
    page = Page(render_card(card_of([1.0], flags=(attack,)), subject, alarms=(Alarm(AlarmKind.SEEDS_IGNORED, attack),)))
    assert page.count("script") == 0
    assert page.values("onload") == []
    assert page.text.count(attack) >= 6


def test_report_prints_numbers_flags_and_alarms() -> None:
    card = card_of([0.2, 5.5, 50.0], flags=("too_few_effective_models",), effective_models=20)
    page = Page(render_card(card, alarms=(Alarm(AlarmKind.NEAR_DUPLICATES, "Only 20 of 64."),)))
    assert "0.178 (0.150 to 0.212)" in page.text
    assert "0.9871 (0.9866 to 0.9875)" not in page.text  # its width, 0.0009, is known to five decimals
    assert "0.98710 (0.98660 to 0.98750)" in page.text
    assert "Too few models differ by more than near-duplicates do" in page.text
    assert "The entry does not rank." in page.text
    assert "Near-duplicates. Only 20 of 64." in page.text
    assert "for the organiser (they do not change the score)" in page.text


def test_report_marks_what_is_not_available() -> None:
    page = Page(render_card(card_of([1.0]), suites={"klom": dict.fromkeys(("forget_mean", "forget_p95"), None)}))
    assert page.values("title").count("not available") >= 6
    assert "Ceiling –" in page.text


def test_report_puts_retraining_at_one_when_the_metric_divides_by_its_ceiling() -> None:
    ceiling = Estimate(0.2, 0.18, 0.22)
    known = Page(render_card(card_of([1.0], ceiling=ceiling)))
    given = Page(render_card(card_of([1.0]), ceiling=ceiling))
    absent = Page(render_card(card_of([1.0])))
    assert "retraining has utility 1 and forgetting quality 1." in known.text
    assert "retraining has utility 1 and forgetting quality 0.2." in given.text
    assert "retraining has utility 1" not in absent.text
    assert "0.200 (0.180 to 0.220)" in given.text


def test_report_shows_second_oracle_beside_the_columns() -> None:
    values: dict[str, float | None] = dict.fromkeys(SUITES["u-lira"].columns, 0.75)
    page = Page(render_card(card_of([1.0]), suites={"u-lira": values}, reference_suites={"u-lira": {"auc": 0.4987}}))
    assert "Second oracle" in page.text
    assert "Attack AUC ( auc ) 0.75 0.4987 share lower" in page.text


def test_report_greys_gaussian_estimates_when_too_many_misfit() -> None:
    def audit(misfits: int) -> Audit:
        return Audit(np.array([0.8] + [0.0] * 9), 2.5, 10, np.linspace(0, 9, 10), np.arange(10) >= misfits)

    card = card_of([1.0] * 10)
    assert "doubtful" not in render_card(replace(card, audit=audit(2)))
    text = render_card(replace(card, audit=audit(3)))
    assert "Gaussian estimate (doubtful)" in text
    assert "30.0% of the examples fail the test of normality" in text
    assert "1 of 10 are above 0, and the largest is 0.8." in text
    assert "proven at least 0.8" in text


def test_report_chooses_best_median_and_worst_examples() -> None:
    page = Page(render_card(card_of([0.7, 0.1, 0.6, 0.2, 0.5, 0.3, 0.4])))
    kinds = re.findall(r"Example (\d) \((\w+)\): epsilon (\d\.\d)", page.text)
    assert kinds == [
        ("1", "best", "0.1"),
        ("3", "best", "0.2"),
        ("5", "median", "0.3"),
        ("6", "median", "0.4"),
        ("2", "worst", "0.6"),
        ("0", "worst", "0.7"),
    ]


def test_report_of_many_examples_stays_small_and_lists_the_worst() -> None:
    epsilons = np.random.default_rng(5).gamma(2.0, 1.0, 2000)
    audit = Audit(np.zeros(2000), 3.0, 16, epsilons, np.ones(2000, dtype=np.bool_))
    text = render_card(card_of(epsilons.tolist(), audit=audit), models=128)
    assert len(text.encode()) < 1_000_000
    page = Page(text)
    assert "The 50 of 2000 forget examples with the highest epsilon" in page.text
    assert f"{int(epsilons.argmax())} {number(float(np.float32(epsilons.max())))}" in page.text


def test_report_of_constant_and_of_far_confidences_is_drawn() -> None:
    unlearned, oracle = np.full((8, 2), -103.6), drawn(8, 2)
    unlearned[:, 1], oracle[:, 1] = 5.0, 5.0
    oracle[0, 0] = 9e5
    Page(render_report(ReportSubject("entry"), card_of([50.0, 0.0]), unlearned=unlearned, oracle=oracle))


def test_report_refuses_confidences_of_another_forget_set() -> None:
    with pytest.raises(BadArray, match=r"oracle has shape \(8, 3\); expected \(models, 2\)"):
        render_report(ReportSubject("entry"), card_of([1.0, 2.0]), unlearned=drawn(8, 2), oracle=drawn(8, 3))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (math.nan, "–"), (0.0, "0"), (1.0, "1"), (0.123456, "0.1235"), (-0.02, "-0.02"), (1e-7, "1e-07")],
)
def test_number_has_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (None, "–"),
        (Estimate(0.178, 0.15, 0.212), "0.178 (0.150 to 0.212)"),
        (Estimate(0.93421, 0.934, 0.9348), "0.93421 (0.93400 to 0.93480)"),
        (Estimate(0.0, 0.0, 0.0), "0 (0 to 0)"),
        (Estimate(1.2, 0.5, 5.0), "1.200 (0.500 to 5.000)"),
    ],
)
def test_interval_has_the_digits_that_its_width_supports(estimate: Estimate | None, text: str) -> None:
    assert interval(estimate) == text


def test_colours_have_enough_contrast_in_light_and_dark() -> None:
    blocks = re.findall(r":root \{([^}]*)\}", TEMPLATE.read_text())
    assert len(blocks) == 2
    for block in blocks:
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for surface in (colors["page"], colors["raised"]):
            for name in ("ink", "muted", "unlearned", "oracle", "accent", "warn"):
                assert contrast(colors[name], surface) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colours, as WCAG 2.2 defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# The report of a benchmark's fitness


def tiny_benchmark(root: Path, **fitness: Any) -> Bundle:
    """Make a benchmark whose manifest says something else of its fitness, and of its name."""
    bundle = make_tiny_bundle(root, oracle_seeds=8)
    changed = bundle.manifest.fitness.model_copy(update=fitness)
    manifest = bundle.manifest.model_copy(update={"fitness": changed, "title": "Tiny <script>"})
    manifest = Manifest.model_validate(manifest.model_dump())  # forgets the bytes it was written as
    (root / MANIFEST).write_bytes(manifest.to_bytes())
    return Bundle(root)


def test_fitness_report_is_well_formed_and_fetches_nothing(tmp_path: Path) -> None:
    bundle = tiny_benchmark(
        tmp_path / "tiny",
        placebo_ratio=4.0,
        expected_ceiling=0.21,
        majority_share=0.5,
        original_quality=0.05,
        placebo_qualities=(0.19, 0.21),
    )
    text = render_fitness(bundle)
    page = Page(text)
    assert page.count("svg") == 4
    assert page.count("script") == 0
    assert "Tiny <script>" in page.text
    for words in (
        "Placebo ratio 4 must be at least 3",
        "Ceiling of F 0.2",
        "Most common class 0.5",
        "gets 4 times the F",
    ):
        assert words in page.text
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[^\"' <]*", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    ids = page.values("id")
    assert len(ids) == len(set(ids))


def test_fitness_report_shows_what_is_wrong(tmp_path: Path) -> None:
    problems = ("The placebo ratio is <b>1.00</b>.", "The second oracle gets F 0.010.")
    unfit = Page(render_fitness(tiny_benchmark(tmp_path / "unfit", problems=problems)))
    fit = Page(render_fitness(tiny_benchmark(tmp_path / "fit")))
    for problem in problems:
        assert problem in unfit.text
        assert problem not in fit.text


def test_fitness_report_of_an_older_benchmark_leaves_out_what_it_lacks(tmp_path: Path) -> None:
    """Without a second oracle, original or qualities of placebos."""
    newer = tiny_benchmark(tmp_path / "tiny")
    files = {name: entry for name, entry in newer.manifest.files.items() if name != "hidden/original.safetensors"}
    older = Manifest.model_validate(newer.manifest.model_dump() | {"files": files})
    (newer.root / MANIFEST).write_bytes(older.to_bytes())
    page = Page(render_fitness(Bundle(newer.root)))
    assert "Most common class –" in page.text
    assert "forget examples: retrained" in page.text
    assert "original -" not in page.text


def test_fitness_report_tells_the_oracles_accuracy(tmp_path: Path) -> None:
    bundle = tiny_benchmark(tmp_path / "tiny")
    accuracy = 100 * (bundle.oracle().test_class == bundle.test_labels()).mean(axis=1)
    expected = f"is between {accuracy.min():.1f}% and {accuracy.max():.1f}%."
    assert expected in Page(render_fitness(bundle)).text
