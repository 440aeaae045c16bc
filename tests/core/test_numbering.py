"""The number of a run in a failure's message, which the worker writes and a replay reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.numbering import failed_run
from services.worker import failures
from services.worker.failures import RunFailed, SandboxText, told

SEEDS = st.integers(0, 9_999)


@given(SEEDS, st.text(), st.booleans())
def test_the_number_is_read_back_from_every_message_that_has_one(seed: int, text: str, hidden: bool) -> None:
    named: list[RunFailed] = [
        failures.timeout(seed, 10_000, 60.0),
        failures.out_of_memory(seed, 10_000, 2**30),
        failures.bad_checkpoint(seed, 10_000, SandboxText(text)),
        failures.from_exit(seed, 10_000, code=1, signal_number=None),
    ]
    assert [failed_run(told(one, data_hidden=hidden).message) for one in named] == [seed + 1] * 4


@pytest.mark.parametrize(
    "failure",
    [
        failures.too_much_output("printed more than the limit"),
        failures.bad_archive(SandboxText("Run 3 of 8 is mine")),
        failures.notebook_timeout(60.0, written=3, wanted=8, zipping=False),
    ],
)
def test_a_message_about_no_single_run_has_no_number(failure: RunFailed) -> None:
    assert failed_run(told(failure, data_hidden=False).message) is None
