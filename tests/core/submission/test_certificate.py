"""Claims of certificates: read from the source, never run, and refused in words where they are no claims."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.submission.certificate import BadClaim, CertifiedMethod, Claim, claim_in
from services.core.submission.file import check
from services.core.submission.source import NotPython, Rejected
from tests.core.uploads import MODULE, code_of, make_zip

GOOD = {"method": "langevin", "epsilon": 1.0, "delta": 0.004, "steps": 1144}
CLAIM = Claim(method=CertifiedMethod.LANGEVIN, epsilon=1.0, delta=0.004, steps=1144)
METHODS = [*(method.value for method in CertifiedMethod), "langevin ", "LANGEVIN", 3, None]
NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=3))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
CLAIM_LIKE = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(METHODS),
        "epsilon": NUMBERS,
        "delta": NUMBERS,
        "steps": NUMBERS,
        "epochs": NUMBERS,
        "more": JSON,
    },
)


def module(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n\n\n" + MODULE


def with_claim(claim: object) -> bytes:
    return module(f"CERTIFICATE = {claim!r}")


def refusal(claim: str, filename: str = "entry.py") -> BadClaim:
    """Return the refusal of a claim as written, having checked that it names the file and says what to do."""
    with pytest.raises(BadClaim) as caught:
        claim_in(module(f"CERTIFICATE = {claim}"), filename)
    assert isinstance(caught.value, Rejected)
    assert caught.value.message.startswith(filename)
    assert caught.value.message.endswith(str(caught.value.details["remedy"]))
    assert "CERTIFICATE = {" in str(caught.value.details["remedy"])
    return caught.value


# What is read


@pytest.mark.parametrize(
    "lines",
    [
        [f"CERTIFICATE = {GOOD!r}"],
        [f"CERTIFICATE: dict = {GOOD!r}"],
        [f"CERTIFICATE: 'dict[str, object]' = {GOOD!r}"],
        [f"OTHER = CERTIFICATE = {GOOD!r}"],
        ["CERTIFICATE = {'epsilon': -1}", f"CERTIFICATE = {GOOD!r}"],
        ["CERTIFICATE = open('/')", f"if True:\n    CERTIFICATE = {GOOD!r}"],
        ["def inner():\n    CERTIFICATE = 1", f"CERTIFICATE = {GOOD!r}", "def other():\n    CERTIFICATE = 2"],
        [f"CERTIFICATE = {GOOD!r}", "CERTIFICATES = 3"],
        [f"CERTIFICATE = {GOOD!r}", "CERTIFICATE: dict"],
        ["raise SystemExit", f"CERTIFICATE = {GOOD!r}"],
    ],
    ids=[
        "plain",
        "annotated",
        "quoted",
        "chained",
        "last",
        "branch",
        "functions",
        "name",
        "annotation alone",
        "unreached",
    ],
)
def test_the_last_claim_of_the_top_level_is_read(lines: list[str]) -> None:
    assert check("entry.py", module(*lines)).claim == CLAIM


def test_a_module_without_a_claim_has_none() -> None:
    assert check("entry.py", MODULE).claim is None
    assert check("entry.py", module("certificate = 1", "x.CERTIFICATE = 2", "CERTIFICATE[0] = 3")).claim is None


def test_a_claim_without_method_is_of_another_one() -> None:
    found = claim_in(with_claim({"epsilon": 0, "delta": 1e-5}), "entry.py")
    assert found == Claim(method=CertifiedMethod.OTHER, epsilon=0.0, delta=1e-5)


@pytest.mark.parametrize(
    "files",
    [
        {"submission.py": with_claim(GOOD), "other.py": with_claim({"epsilon": "no"})},
        {"my_idea.py": with_claim(GOOD), "constants.py": b"CERTIFICATE = None\n"},
        {"folder/submission.py": with_claim(GOOD)},
    ],
    ids=["submission.py", "only module", "folder"],
)
def test_an_archives_claim_is_that_of_the_module_that_runs(files: dict[str, bytes]) -> None:
    data = make_zip(files)
    assert check("entry.zip", data).claim == CLAIM
    check("entry.zip", data)


def test_notebooks_claim_nothing() -> None:
    """What one runs cannot be told without running it."""
    cell = {"cell_type": "code", "source": f"CERTIFICATE = {GOOD!r}"}
    assert check("entry.ipynb", json.dumps({"cells": [cell], "nbformat": 4}).encode()).claim is None


def test_nothing_is_run(tmp_path: Path) -> None:
    """A claim that opens a file, and a module that would, leave no trace."""
    trace = tmp_path / "trace"
    found = module(f"open({str(trace)!r}, 'w').close()", f"CERTIFICATE = {GOOD!r}")
    assert check("entry.py", found).claim == CLAIM
    refusal(f"{{'epsilon': 1.0, 'delta': open({str(trace)!r}, 'w').fileno()}}")
    refusal(f"(open({str(trace)!r}, 'w'), {GOOD!r})[1]")
    assert not trace.exists()


# What is refused

BAD = {
    "no literal": ("dict(epsilon=1.0, delta=0.1)", "line 1: CERTIFICATE is not a literal"),
    "a name": ("{'epsilon': EPSILON, 'delta': 0.1}", "not a literal"),
    "a sum": ("{'epsilon': 1 / 2, 'delta': 0.1}", "not a literal"),
    "f-string": ("{'epsilon': 1.0, 'delta': 0.1, 'method': f'{x}'}", "not a literal"),
    "key of a list": ("{[]: 1}", "not a literal"),
    "set of lists": ("{'epsilon': 1.0, 'delta': {[]}}", "not a literal"),
    "deep": ("-" * 5000 + "1", ""),
    "None": ("None", "CERTIFICATE"),
    "a list": ("[1.0, 0.1]", "CERTIFICATE"),
    "a string": ("'epsilon 1'", "CERTIFICATE"),
    "empty": ("{}", "CERTIFICATE epsilon: Field required"),
    "no epsilon": ("{'delta': 0.1}", "CERTIFICATE epsilon: Field required"),
    "no delta": ("{'epsilon': 1.0}", "CERTIFICATE delta: Field required"),
    "negative epsilon": ("{'epsilon': -0.1, 'delta': 0.1}", "CERTIFICATE epsilon"),
    "infinite epsilon": ("{'epsilon': 1e999, 'delta': 0.1}", "CERTIFICATE epsilon"),
    "NaN": ("{'epsilon': 'nan', 'delta': 0.1}", "CERTIFICATE epsilon"),
    "delta 0": ("{'epsilon': 1.0, 'delta': 0}", "CERTIFICATE delta"),
    "negative delta": ("{'epsilon': 1.0, 'delta': -0.1}", "CERTIFICATE delta"),
    "delta 1": ("{'epsilon': 1.0, 'delta': 1.0}", "CERTIFICATE delta"),
    "infinite delta": ("{'epsilon': 1.0, 'delta': 1e999}", "CERTIFICATE delta"),
    "a complex number": ("{'epsilon': 1j, 'delta': 0.1}", "CERTIFICATE epsilon"),
    "unknown method": ("{'method': 'magic', 'epsilon': 1.0, 'delta': 0.1}", "CERTIFICATE method"),
    "misspelt": ("{'epsilon': 1.0, 'delta': 0.1, 'step': 3}", "CERTIFICATE step: Extra inputs"),
    "langevin": ("{'method': 'langevin', 'epsilon': 1.0, 'delta': 0.1}", "langevin needs steps"),
    "langevin epochs": ("{'method': 'langevin', 'epsilon': 1.0, 'delta': 0.1, 'epochs': 3}", "langevin needs steps"),
    "d2d": ("{'method': 'd2d', 'epsilon': 1.0, 'delta': 0.1}", "d2d needs steps"),
    "stochastic": (
        "{'method': 'stochastic_langevin', 'epsilon': 1.0, 'delta': 0.1, 'steps': 3}",
        "stochastic_langevin needs epochs",
    ),
    "steps 0": ("{'method': 'd2d', 'epsilon': 1.0, 'delta': 0.1, 'steps': 0}", "CERTIFICATE steps"),
    "half a step": ("{'method': 'd2d', 'epsilon': 1.0, 'delta': 0.1, 'steps': 1.5}", "CERTIFICATE steps"),
    "huge steps": (f"{{'method': 'd2d', 'epsilon': 1.0, 'delta': 0.1, 'steps': {2**53 + 1}}}", "CERTIFICATE steps"),
    "huge epsilon": (f"{{'epsilon': {10**400}, 'delta': 0.1}}", "CERTIFICATE epsilon"),
    "keys of many kinds": ("{'epsilon': 1.0, 'delta': 0.1, 3: 4, (1, 2): 5}", "CERTIFICATE"),
    "lone surrogate": ("{'epsilon': 1.0, 'delta': 0.1, 'method': '\\ud800'}", "CERTIFICATE"),
}


@pytest.mark.parametrize(("claim", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_claim_is_refused_naming_file_and_remedy(claim: str, message: str) -> None:
    if claim.startswith("--"):  # too deep for the parser of some Pythons, and for the reader of others
        with pytest.raises((BadClaim, NotPython)):
            claim_in(module(f"CERTIFICATE = {claim}"), "entry.py")
    else:
        assert message in refusal(claim).message


def test_an_integer_too_long_to_read_is_refused() -> None:
    """CPython reads at most 4300 digits; the hexadecimal ones it reads have no end, and no float holds them."""
    for number in ("9" * 5000, "0x" + "f" * 5000, "-0x" + "f" * 5000):
        with pytest.raises((BadClaim, NotPython)):
            claim_in(module(f"CERTIFICATE = {{'epsilon': {number}, 'delta': 0.1}}"), "entry.py")


@pytest.mark.parametrize("depth", [50, 100, 150, 180, 199])
def test_a_deep_literal_is_refused(depth: int) -> None:
    refusal("[" * depth + "]" * depth)
    refusal("{'epsilon': " + "[" * depth + "]" * depth + ", 'delta': 0.1}")


def test_a_bad_claim_is_refused_with_the_upload() -> None:
    bad = with_claim({"epsilon": 1.0})
    assert code_of("entry.py", bad) == "bad_certificate_claim"
    assert code_of("entry.zip", make_zip({"submission.py": bad})) == "bad_certificate_claim"


@given(st.one_of(CLAIM_LIKE, JSON))
def test_any_literal_is_a_claim_or_a_bad_one(literal: Any) -> None:
    text = repr(literal).replace("inf", "1e999")  # repr's nan is a name, and no literal
    try:
        found = claim_in(module(f"CERTIFICATE = {text}"), "entry.py")
    except BadClaim as error:
        assert error.message.startswith("entry.py")
        error.message.encode()  # an answer can carry it
    else:
        assert isinstance(found, Claim)
        assert found.epsilon >= 0 and 0 < found.delta < 1


@given(st.binary(max_size=60), st.text(max_size=60))
def test_any_source_is_read_or_refused(data: bytes, text: str) -> None:
    for source in (data, b"CERTIFICATE = " + data, b"CERTIFICATE = " + text.encode(errors="ignore")):
        try:
            found = claim_in(source, "entry.py")
        except Rejected:
            continue
        assert found is None or isinstance(found, Claim)
