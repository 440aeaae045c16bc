"""Which reference rows a benchmark has, by its epochs."""

from hypothesis import given
from hypothesis import strategies as st

from services.core.models import Reference
from services.core.references.planning import plan, why_none

SHARES = {"retrain-5": 0.05, "retrain-10": 0.1, "retrain-20": 0.2, "retrain-50": 0.5, "retrain": 1.0}


def test_a_benchmark_has_a_row_that_does_nothing_and_one_for_each_share_of_its_epochs() -> None:
    assert {one.reference.value: one.epochs for one in plan({"recipe": {"epochs": 40}})} == {
        "identity": 0,
        "retrain": 40,
        "retrain-50": 20,
        "retrain-20": 8,
        "retrain-10": 4,
        "retrain-5": 2,
    }


@given(st.integers(1, 1000))
def test_no_two_rows_retrain_for_the_same_number_of_epochs(epochs: int) -> None:
    rows = plan({"recipe": {"epochs": epochs}})

    counts = [one.epochs for one in rows]
    assert len(set(counts)) == len(counts) == len({one.name for one in rows}) == len({one.reference for one in rows})
    assert {one.reference: one.epochs for one in rows}[Reference.RETRAIN] == epochs
    for one in rows[1:]:
        assert one.epochs >= 1
        assert abs(one.epochs - SHARES[one.reference] * epochs) <= 1


def test_a_certified_benchmark_and_one_without_epochs_have_none_and_say_so() -> None:
    certified = {"learning": {"sigma": 0.1}, "recipe": {"steps": 100}}

    assert plan(certified) == plan({"recipe": {}}) == plan({}) == []
    assert "certified" in (why_none(certified) or "")
    assert "by hand" in (why_none({"recipe": {}}) or "")
    assert why_none({"recipe": {"epochs": 1}}) is None
