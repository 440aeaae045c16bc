"""`lethe certify`, run as a user would: both directions, both methods, and what is refused."""

import json
import subprocess
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.core.errors import BadInput
from services.scorer.certificates import ConvexProblem, d2d, langevin
from tests import command

MNIST = ("--n", "11982", "--strong-convexity", "0.011982", "--delta", "8.345852e-05")  # delta = 1/n
PROBLEM = ConvexProblem(11_982, 0.011982, 0.25 + 0.011982, 1.0, 8.345852e-05)
KEYS = {"method", "epsilon", "delta", "sigma", "alpha", "steps", "points", "n", "strong_convexity", "smoothness"} | {
    "lipschitz",
    "step_size",
    "burn_in",
}


def lethe(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command.lethe("certify", *arguments, COLUMNS="500")


def certify(*arguments: str) -> dict[str, Any]:
    done = command.lethe_here("certify", "--json", *MNIST, *arguments)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert set(result) == KEYS
    return result


def refusal(*arguments: str) -> str:
    """Give the message that `main` prints; inside this process, since only the first of many refusals needs another."""
    done = CliRunner().invoke(app, ["certify", "--json", *arguments])
    assert isinstance(done.exception, BadInput)
    assert done.stdout == ""
    return done.exception.message


def test_epsilon_of_a_sigma_is_the_accountants() -> None:
    result = certify("--method", "langevin", "--points", "100", "--steps", "1000", "--sigma", "0.03")

    expected = langevin.certify(PROBLEM, points=100, steps=1000, sigma=0.03)
    assert (result["epsilon"], result["alpha"]) == (expected.epsilon, expected.alpha)
    assert (result["method"], result["sigma"], result["steps"], result["points"]) == ("langevin", 0.03, 1000, 100)
    assert result["smoothness"] == 0.25 + 0.011982
    assert result["step_size"] == 1 / result["smoothness"]
    assert result["burn_in"] >= 20 / (result["step_size"] * 0.011982)


def test_least_sigma_of_an_epsilon_is_right_where_the_published_table_is_wrong() -> None:
    """The table says 0.000189."""
    result = certify("--method", "langevin", "--points", "1", "--steps", "2", "--epsilon", "0.5")

    assert result["sigma"] == pytest.approx(0.0189, abs=5e-5)
    assert 0.5 * (1 - 1e-9) <= result["epsilon"] <= 0.5
    back = certify("--method", "langevin", "--points", "1", "--steps", "2", "--sigma", repr(result["sigma"]))
    assert back == result


def test_descent_to_delete_answers_its_published_sigma() -> None:
    result = certify("--method", "d2d", "--steps", "1", "--epsilon", "0.05")

    assert result["sigma"] == pytest.approx(50.45, abs=0.005)
    assert (result["points"], result["burn_in"], result["step_size"]) == (1, None, d2d.step(PROBLEM))


def test_smoothness_and_lipschitz_that_are_named_are_used() -> None:
    options = ("--method", "langevin", "--steps", "500", "--points", "100", "--epsilon", "1")
    result = certify(*options, "--smoothness", "1.05", "--lipschitz", "2")

    assert (result["smoothness"], result["lipschitz"]) == (1.05, 2.0)
    problem = ConvexProblem(11_982, 0.011982, 1.05, 2.0, 8.345852e-05)
    assert result["sigma"] == langevin.least_sigma(problem, points=100, steps=500, epsilon=1.0)


def test_text_says_what_json_says() -> None:
    done = lethe(*MNIST, "--method", "langevin", "--steps", "2", "--epsilon", "0.5")

    assert done.returncode == 0, done.stderr
    lines = {line[:20].strip(): line[20:] for line in done.stdout.splitlines()}
    assert (lines["epsilon"], lines["sigma"]) == ("0.5", "0.0189154")
    assert set(lines) == {"epsilon", "sigma", "alpha", "delta", "unlearning", "learning"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (MNIST, "You gave neither of --sigma and --epsilon. Give one"),
        ((*MNIST, "--sigma", "1", "--epsilon", "1"), "You gave both of --sigma and --epsilon. Give one"),
        ((*MNIST, "--sigma", "0"), "sigma is 0.0"),
        ((*MNIST, "--epsilon", "-1"), "epsilon is -1.0"),
        ((*MNIST, "--sigma", "1", "--points", "11983"), "n = 11982"),
        ((*MNIST, "--sigma", "1", "--smoothness", "0.001"), "smoothness must be the larger"),
        ((*MNIST, "--sigma", "1e-300"), "the certificate overflows"),
        (("--n", "10", "--strong-convexity", "0.1", "--delta", "1", "--sigma", "1"), "delta is 1.0"),
        (("--n", "0", "--strong-convexity", "0.1", "--delta", "0.1", "--sigma", "1"), "n is 0"),
    ],
)
def test_questions_without_an_answer_are_refused_with_the_reason(options: tuple[str, ...], says: str) -> None:
    assert says in refusal("--method", "langevin", "--steps", "2", *options)


def test_refusal_is_one_line_and_status_1() -> None:
    done = lethe(*MNIST, "--method", "langevin", "--steps", "2")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lethe: You gave neither of --sigma and --epsilon") and done.stderr.count("\n") == 1


def test_unknown_method_is_refused_naming_those_there_are() -> None:
    done = lethe(*MNIST, "--method", "magic", "--steps", "2", "--sigma", "1")

    assert done.returncode == 2
    assert "langevin" in done.stderr and "d2d" in done.stderr
