"""`lethe certify`: the epsilon of a certified method, or the least noise for one. It needs no data and no server."""

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.console import print_json
from services.core.errors import BadInput

if TYPE_CHECKING:
    from services.scorer.certificates import Certificate, ConvexProblem

__all__ = ["certify"]


class Method(StrEnum):
    LANGEVIN = "langevin"
    D2D = "d2d"


def certify(
    method: Annotated[Method, typer.Option(help="langevin, or d2d for descent to delete.")],
    n: Annotated[int, typer.Option("--n", help="Points in the training set, including those to forget.")],
    steps: Annotated[int, typer.Option(help="The exact number of unlearning steps.")],
    strong_convexity: Annotated[float, typer.Option(help="m; an L2 penalty of m/2 |w|^2 gives it.")],
    delta: Annotated[float, typer.Option(help="The probability with which epsilon may fail, such as 1/n.")],
    points: Annotated[int, typer.Option(help="S, the number of points that one request forgets.")] = 1,
    smoothness: Annotated[
        float | None,
        typer.Option(help="L. If you leave it out: 1/4 + m, for logistic regression on features of unit norm."),
    ] = None,
    lipschitz: Annotated[float, typer.Option(help="M, the norm that each point's data gradient is clipped to.")] = 1.0,
    sigma: Annotated[float | None, typer.Option(help="The noise you use; the answer is epsilon.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="The epsilon you want; the answer is the least sigma.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Compute the epsilon that a sigma certifies on a strongly convex problem, or the least sigma for an epsilon.

    Langevin adds sqrt(2/L) sigma N(0, I) in each step of size 1/L; d2d adds sigma N(0, I) once, to the published model.
    """
    from services.scorer.certificates import ConvexProblem

    problem = ConvexProblem(
        n=n,
        strong_convexity=strong_convexity,
        smoothness=0.25 + strong_convexity if smoothness is None else smoothness,
        lipschitz=lipschitz,
        delta=delta,
    )
    sigma, certificate = _answer(method, problem, points, steps, sigma, epsilon)
    result = _told(method, problem, points, steps, sigma, certificate)
    if as_json:
        print_json(result)
    else:
        print_certificate(result)


def _answer(
    method: Method, problem: "ConvexProblem", points: int, steps: int, sigma: float | None, epsilon: float | None
) -> tuple[float, "Certificate"]:
    """Return sigma and its certificate, from either sigma or epsilon."""
    from services.scorer.certificates import d2d, langevin

    accountant = langevin if method is Method.LANGEVIN else d2d
    if sigma is None and epsilon is not None:
        sigma = accountant.least_sigma(problem, points=points, steps=steps, epsilon=epsilon)
    elif sigma is None or epsilon is not None:
        raise BadInput(
            f"You gave {'neither' if sigma is None else 'both'} of --sigma and --epsilon. Give one of them: "
            "--sigma for the epsilon of that noise, or --epsilon for the least noise with that epsilon."
        )
    certificate = accountant.certify(problem, points=points, steps=steps, sigma=sigma)
    if not math.isfinite(certificate.epsilon) or not math.isfinite(certificate.alpha):
        raise BadInput(f"At sigma {sigma} the certificate overflows a double. Use a sigma nearer to 1, or more steps.")
    return sigma, certificate


def _told(
    method: Method, problem: "ConvexProblem", points: int, steps: int, sigma: float, certificate: "Certificate"
) -> dict[str, Any]:
    """Return a certificate as a program reads it."""
    from services.scorer.certificates import d2d

    langevin = method is Method.LANGEVIN
    return {
        "method": method.value,
        "epsilon": certificate.epsilon,
        "delta": problem.delta,
        "sigma": sigma,
        "alpha": certificate.alpha,
        "steps": steps,
        "points": points,
        "n": problem.n,
        "strong_convexity": problem.strong_convexity,
        "smoothness": problem.smoothness,
        "lipschitz": problem.lipschitz,
        "step_size": problem.step if langevin else d2d.step(problem),
        "burn_in": problem.burn_in if langevin else None,
    }


def print_certificate(result: dict[str, Any]) -> None:
    """Print a certificate in words."""
    for name in ("epsilon", "sigma", "alpha"):
        typer.echo(f"{name:<20}{result[name]:.6g}")
    typer.echo(f"{'delta':<20}{result['delta']:g}")
    typer.echo(f"{'unlearning':<20}{result['steps']} steps of {result['step_size']:.6g}, exactly")
    if result["burn_in"] is not None:
        typer.echo(f"{'learning':<20}at least {result['burn_in']:,} steps before")
