"""The claim of a certified entry: `CERTIFICATE = {...}` at the top level of its module, read but never run.

CERTIFICATE = {"method": "langevin", "epsilon": 1.0, "delta": 0.00390625, "steps": 1144}
"""

import ast
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.core.submission.source import Rejected, last_assignment, parse

__all__ = ["BadClaim", "CertifiedMethod", "Claim", "claim_in", "claim_of"]

NAME = "CERTIFICATE"
REMEDY = (
    'Write a literal, such as CERTIFICATE = {"method": "langevin", "epsilon": 1.0, "delta": 0.004, "steps": 1144}. '
    "epsilon and delta are required; to have an accountant check the claim, give method and steps too."
)

Finite = Annotated[float, Field(allow_inf_nan=False)]


class BadClaim(Rejected):
    code = "bad_certificate_claim"


class CertifiedMethod(StrEnum):
    """Methods that an accountant knows, and `other`, whose claim can only be audited."""

    LANGEVIN = "langevin"
    STOCHASTIC_LANGEVIN = "stochastic_langevin"
    D2D = "d2d"
    RETRAIN = "retrain"
    OTHER = "other"


class Claim(BaseModel):
    """The (epsilon, delta) that an entry claims, and the method that is to provide it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: CertifiedMethod = CertifiedMethod.OTHER
    epsilon: Annotated[Finite, Field(ge=0)]
    delta: Annotated[Finite, Field(gt=0, lt=1)]
    steps: Annotated[int, Field(gt=0, le=2**53)] | None = None  # for langevin and d2d
    epochs: Annotated[int, Field(gt=0, le=2**53)] | None = None  # for stochastic_langevin

    @model_validator(mode="after")
    def _counts_its_steps(self) -> Self:
        needed = {
            CertifiedMethod.LANGEVIN: "steps",
            CertifiedMethod.D2D: "steps",
            CertifiedMethod.STOCHASTIC_LANGEVIN: "epochs",
        }.get(self.method)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"{self.method} needs {needed}")
        return self


def claim_in(source: bytes, filename: str) -> Claim | None:
    """Read the claim of a module; None if it makes none. Raises BadClaim, or NotPython if the source does not parse."""
    return claim_of(parse(source, filename), filename)


def claim_of(module: ast.Module, filename: str) -> Claim | None:
    """Read the claim of a parsed module; None if it makes none. Raises BadClaim."""
    value = last_assignment(module, NAME)
    if value is None:
        return None
    try:
        return Claim.model_validate(ast.literal_eval(value))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f" {part}"[:100] for part in first["loc"])
        raise BadClaim(f"{filename}: {NAME}{where}: {first['msg']}.", REMEDY) from error
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise BadClaim(f"{filename}, line {value.lineno}: {NAME} is not a literal.", REMEDY) from error
