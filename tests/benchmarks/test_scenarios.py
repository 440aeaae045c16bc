"""What is to be forgotten, and how a dataset is cut: as published, as defined, or from a secret."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.cutting import Cut, NoPublishedSplit, cut
from services.benchmarks.datasets import Dataset
from services.benchmarks.datasets.dataset import Parts
from services.benchmarks.datasets.registry import divide, read_dataset
from services.benchmarks.definitions import Definition, Fractions
from services.benchmarks.order import Order
from services.benchmarks.scenarios import (
    BadScenario,
    Class,
    Drawn,
    Random,
    Scenario,
    Subclass,
    Subjects,
    parse_scenario,
)
from services.benchmarks.synthetic_faces import write_faces

COUNT, CLASSES = 120, 6
LABELS = np.random.default_rng(0).integers(0, CLASSES, COUNT)
LABELS[:CLASSES] = np.arange(CLASSES)
DATASET = Dataset(
    name="Numbers",
    licence="CC0-1.0",
    images=np.arange(COUNT, dtype=np.float32)[:, None],
    labels=LABELS,
    classes=CLASSES,
    class_names=("ant", "bee", "cat", "dog", "eel", "fox"),
    superclasses=LABELS // 3,
    subjects=np.arange(COUNT) % 12,
    parts=Parts(
        train=np.arange(80)[::-1].copy(), test=np.arange(80, 120), forget=np.array([n for n in range(80) if n % 12 < 2])
    ),
)
TRAIN = np.arange(20, 100)[::-1].copy()
DEFINITION = replace(DEFINITIONS["digits"], scenario=Random(10), split=Fractions(train=0.5, validation=0.25))


def draw(scenario: Scenario, seed: int = 0, dataset: Dataset = DATASET) -> Drawn:
    return scenario.draw(dataset, TRAIN, np.random.default_rng(seed))


def assert_whole(drawn: Drawn) -> None:
    """Every training example is either to be retained or to be forgotten."""
    assert sorted([*drawn.forget.tolist(), *drawn.retain.tolist()]) == list(range(len(TRAIN)))


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 79), wrong=st.integers(0, 79), seed=st.integers(0, 2**32))
def test_random_examples_carry_as_many_wrong_labels_as_asked(count: int, wrong: int, seed: int) -> None:
    wrong = min(wrong, count)
    drawn = draw(Random(count, wrong=wrong), seed)
    assert_whole(drawn)
    changed = np.flatnonzero(drawn.labels != LABELS[TRAIN])
    assert (len(drawn.forget), len(changed)) == (count, wrong)
    assert set(changed) <= set(drawn.forget)
    assert set(drawn.labels) <= set(range(CLASSES))


def test_wrong_labels_are_drawn_from_all_other_classes() -> None:
    classes = [draw(Random(60, wrong=60), seed).labels for seed in range(20)]
    for label in range(CLASSES):
        found = {int(other) for labels in classes for other in labels[(LABELS[TRAIN] == label)]}
        assert found == set(range(CLASSES))  # its own class is that of the 20 examples that are retained


def test_a_share_is_of_the_training_set() -> None:
    drawn = draw(Random(0.25))
    assert len(drawn.forget) == 20
    assert drawn.description == "20 of 80 training examples at random"
    assert draw(Random(20, wrong=3)).description.endswith("at random, 3 of them with a wrong label")


def test_all_examples_of_drawn_subjects_are_forgotten() -> None:
    assert DATASET.subjects is not None
    own = DATASET.subjects[TRAIN]
    chosen = set()
    for seed in range(5):
        drawn = draw(Subjects(3), seed)
        assert_whole(drawn)
        forgotten = set(own[drawn.forget])
        assert len(forgotten) == 3
        assert not forgotten & set(own[drawn.retain])
        assert drawn.description == "all training examples of 3 random of 12 subjects"
        chosen.add(frozenset(forgotten))
    assert len(chosen) == 5


def test_published_subjects_are_taken_where_there_are_some() -> None:
    drawn = draw(Subjects(3, published=True))
    assert DATASET.parts is not None
    assert DATASET.parts.forget is not None
    assert set(TRAIN[drawn.forget]) == set(DATASET.parts.forget) & set(TRAIN)
    assert drawn.description == "all training examples of 2 published of 12 subjects"
    unpublished = replace(DATASET, parts=None)
    assert draw(Subjects(3, published=True), 4, unpublished).forget.tolist() == draw(Subjects(3), 4).forget.tolist()


@pytest.mark.parametrize("label", [0, 5])
def test_a_whole_class_is_forgotten(label: int) -> None:
    drawn = draw(Class(label))
    assert_whole(drawn)
    assert set(TRAIN[drawn.forget]) == {n for n in range(20, 100) if LABELS[n] == label}
    assert drawn.description == f"all training examples of class {label} ({DATASET.class_names[label]})"


def test_a_class_is_drawn_where_none_is_named() -> None:
    found = {int(LABELS[TRAIN[draw(Class(), seed).forget[0]]]) for seed in range(60)}
    assert found == set(range(CLASSES))


def test_models_learn_superclasses_where_a_subclass_is_forgotten() -> None:
    drawn = draw(Subclass(4))
    labels, classes = Subclass(4).labels(DATASET)
    assert_whole(drawn)
    assert set(TRAIN[drawn.forget]) == {n for n in range(20, 100) if LABELS[n] == 4}
    assert drawn.labels.tolist() == [LABELS[n] // 3 for n in TRAIN]
    assert (labels.tolist(), classes) == ((LABELS // 3).tolist(), 2)
    assert drawn.description == "all training examples of subclass 4 (eel), one of those of superclass 1"


@pytest.mark.parametrize(
    ("scenario", "changes", "says"),
    [
        (Random(5, wrong=6), {}, "5 forget examples cannot have 6 wrong labels"),
        (Random(80), {}, "80 of 80"),
        (Random(0.001), {}, "0 of 80"),
        (Subjects(12), {}, "only 12 subjects"),
        (Subjects(2), {"subjects": None}, "does not name the subjects"),
        (Class(6), {}, "no class 6. Choose one from 0 to 5"),
        (Class(-1), {}, "no class -1. Choose one from 0 to 5"),
        (Class(2), {"labels": np.full(COUNT, 2)}, "80 of 80"),
        (Class(3), {"labels": np.full(COUNT, 2)}, "0 of 80"),
        (Subclass(6), {}, "no fine class 6. Choose one from 0 to 5"),
        (Subclass(1), {"superclasses": None}, "no superclasses"),
    ],
)
def test_a_scenario_that_does_not_fit_the_dataset_is_refused(
    scenario: Scenario, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(BadScenario, match=says):
        draw(scenario, dataset=replace(DATASET, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "scenario"),
    [
        ("random:500", Random(500)),
        ("random:10%", Random(0.1)),
        ("random:2.5%", Random(0.025)),
        ("random:60,wrong=12", Random(60, wrong=12)),
        ("random:50%,wrong=1", Random(0.5, wrong=1)),
        ("subjects:15", Subjects(15)),
        ("class", Class()),
        ("class:3", Class(3)),
        ("subclass", Subclass()),
        ("subclass:7", Subclass(7)),
    ],
)
def test_scenarios_are_read_as_written(text: str, scenario: Scenario) -> None:
    assert parse_scenario(text) == scenario


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "random",
        "random:",
        "random:0",
        "random:-1",
        "random:x",
        "random:0%",
        "random:100%",
        "random:1.5",
        "random:nan%",
        "random:5,wrong=-1",
        "random:5,wrong=x",
        "random:5,right=1",
        "subjects",
        "subjects:0",
        "subjects:-2",
        "subjects:1.5",
        "class:x",
        "class:1.5",
        "subclass:x",
        "classes:1",
        "Random:5",
    ],
)
def test_what_is_no_scenario_is_refused_with_advice(text: str) -> None:
    with pytest.raises(BadScenario, match="random:500"):
        parse_scenario(text)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=20),
        st.builds("{}:{}".format, st.sampled_from(["random", "subjects", "class", "subclass"]), st.text(max_size=8)),
        st.from_regex(r"(random|subjects|class|subclass):[0-9.,%=wrong-]{0,9}", fullmatch=True),
    )
)
def test_any_text_is_a_scenario_or_refused(text: str) -> None:
    """And a scenario either fits a dataset or says why not."""
    try:
        assert_whole(draw(parse_scenario(text)))
    except BadScenario as error:
        assert error.message


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 10**6), wrong=st.integers(0, 10**6))
def test_counts_survive_writing_and_reading(count: int, wrong: int) -> None:
    assert parse_scenario(f"random:{count},wrong={wrong}") == Random(count, wrong=wrong)
    assert parse_scenario(f"subjects:{count}") == Subjects(count)


# Cutting


def numbers_in(found: Cut) -> dict[str, list[int]]:
    """Which of DATASET's examples, each its own image, are in each part."""
    return {name: part.images[:, 0].astype(int).tolist() for name, part in found.splits.named().items()}


def assert_disjoint(found: Cut) -> None:
    parts = numbers_in(found)
    assert sorted(number for part in parts.values() for number in part) == list(range(COUNT))


def test_a_defined_split_is_disjoint_and_the_same_each_time() -> None:
    found = cut(DEFINITION, DATASET)
    assert_disjoint(found)
    assert {name: len(part) for name, part in numbers_in(found).items()} == {
        "retain": 50,
        "forget": 10,
        "validation": 30,
        "test": 30,
    }
    assert numbers_in(found) == numbers_in(cut(DEFINITION, DATASET))
    assert numbers_in(found) != numbers_in(cut(replace(DEFINITION, split_seed=4), DATASET))
    assert (found.classes, found.split) == (CLASSES, "drawn at random")
    for part in found.splits.named().values():
        numbers = part.images[:, 0].astype(int)
        assert part.labels.tolist() == LABELS[numbers].tolist()
        assert part.subjects is not None
        assert part.subjects.tolist() == (numbers % 12).tolist()


def test_a_published_split_without_validation_halves_the_test_set() -> None:
    found = cut(replace(DEFINITION, split="published"), DATASET)
    parts = numbers_in(found)
    assert_disjoint(found)
    assert (len(parts["validation"]), len(parts["test"])) == (20, 20)
    assert sorted(parts["validation"] + parts["test"]) == list(range(80, 120))
    assert found.split == "as published, a random half of the test set for validation"


def test_a_published_split_with_validation_is_taken_as_it_is() -> None:
    parts = Parts(train=np.arange(60), validation=np.arange(70, 60, -1), test=np.arange(71, 120))
    found = cut(replace(DEFINITION, split="published"), replace(DATASET, parts=parts))
    assert numbers_in(found)["validation"] == list(range(70, 60, -1))
    assert numbers_in(found)["test"] == list(range(71, 120))
    assert found.split == "as published"


def test_a_drawn_split_has_the_published_sizes_and_random_subjects() -> None:
    definition = replace(DEFINITION, split="published", scenario=Subjects(2, published=True))
    published, drawn = cut(definition, DATASET), cut(definition, DATASET, drawn_from=7)
    assert_disjoint(drawn)
    assert len(drawn.splits.validation) == len(published.splits.validation)
    assert len(drawn.splits.test) == len(published.splits.test)
    assert sorted(numbers_in(drawn)["test"]) != sorted(numbers_in(published)["test"])
    assert drawn.split == "drawn at random, in the sizes of the published one"
    assert "published of" in published.scenario
    assert "2 random of 12" in drawn.scenario


def test_a_dataset_without_a_published_split_is_refused() -> None:
    with pytest.raises(NoPublishedSplit, match="Numbers"):
        cut(replace(DEFINITION, split="published"), replace(DATASET, parts=None))


def test_test_and_validation_keep_true_labels_and_learn_superclasses() -> None:
    found = cut(replace(DEFINITION, scenario=Random(20, wrong=20)), DATASET)
    for name in ("retain", "validation", "test"):
        part = found.splits.named()[name]
        assert part.labels.tolist() == LABELS[part.images[:, 0].astype(int)].tolist()
    coarse = cut(replace(DEFINITION, scenario=Subclass(1)), DATASET)
    assert coarse.classes == 2
    for part in coarse.splits.named().values():
        assert part.labels.tolist() == (LABELS[part.images[:, 0].astype(int)] // 3).tolist()


def order(secret: bytes, drawn_for: str | None) -> Order:
    return Order(
        definition=DEFINITION,
        dataset=DATASET,
        seeds=8,
        quality=lambda *_: 0.0,
        secret=secret,
        drawn_for=drawn_for,
    )


def test_another_name_or_secret_draws_another_split_and_the_same_ones_the_same() -> None:
    """And without a name, no secret has a part in it."""
    secrets = (b"a" * 32, b"b" * 32)
    drawn = {
        (secret, name): numbers_in(order(secret, name).cut(secret))
        for secret in secrets
        for name in ("public", "final")
    }
    found = list(drawn.values())
    for number, one in enumerate(found):
        for other in found[:number]:
            assert all(sorted(one[part]) != sorted(other[part]) for part in one)
    assert drawn[secrets[0], "final"] == numbers_in(order(secrets[0], "final").cut(secrets[0]))
    plain = [numbers_in(order(secret, None).cut(secret)) for secret in secrets]
    assert plain[0] == plain[1] == numbers_in(cut(DEFINITION, DATASET))


def test_seeds_of_originals_derive_from_the_secret_only_where_the_split_does() -> None:
    secret = b"a" * 32
    assert order(secret, None).original_seeds(secret) == [DEFINITION.original_seed]
    final, public = (order(secret, name).original_seeds(secret) for name in ("final", "public"))
    assert len({*final, *public}) == len(final) + len(public) >= 4
    assert order(b"b" * 32, "final").original_seeds(b"b" * 32) != final


def test_the_published_split_of_faces_is_the_divided_one(tmp_path: Path) -> None:
    """`divide` is tested against scikit-learn; here every image must be the one of its path, in its order."""
    faces = tmp_path / "faces"
    write_faces(faces, subjects=20, images_per_subject=3)
    definition: Definition = DEFINITIONS["casia-surf"]
    dataset = read_dataset(definition.dataset, faces, cache=tmp_path / "cache")
    position = {path: number for number, path in enumerate(dataset.paths)}
    assert len(np.unique(dataset.images, axis=0)) == 60

    found = cut(definition, dataset)

    for name, paths in divide("casia-surf", faces).items():
        part = found.splits.named()[name]
        expected = [position[path] for path in paths]
        np.testing.assert_array_equal(part.images, dataset.images[expected])
        assert part.labels.tolist() == dataset.labels[expected].tolist()
    assert "published" in found.scenario
    assert len(np.unique(found.splits.forget.subjects)) == 15  # type: ignore[arg-type]
