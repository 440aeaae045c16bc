"""What all request bodies share."""

import re
from datetime import UTC
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

__all__ = ["Input", "Label", "Moment", "Text"]

_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _one_line(text: str) -> str:
    """Refuse what would steer a terminal, break the line that a name stands in, or turn the rest of it around."""
    if found := _UNPRINTED.search(text):
        raise ValueError(f"the character U+{ord(found[0]):04X} is not allowed in it: it is none that one sees")
    return text


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # Postgres stores no null bytes
Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Input(BaseModel):
    """A request body. A member that nobody reads is a mistake of the caller's, and said so."""

    model_config = ConfigDict(extra="forbid")
