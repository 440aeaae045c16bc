"""Types that all request bodies share."""

import re
from datetime import UTC
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

__all__ = ["Input", "Label", "Moment", "Text"]

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _one_line(text: str) -> str:
    """Refuse characters that control a terminal, break a line, or reverse the direction of the text after them."""
    if found := _UNPRINTED.search(text):
        raise ValueError(f"must not contain invisible or control characters (found U+{ord(found[0]):04X})")
    return text


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # Postgres cannot store null bytes
Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Input(BaseModel):
    """A request body. It refuses unknown members, so that a caller notices a misspelt one."""

    model_config = ConfigDict(extra="forbid")
