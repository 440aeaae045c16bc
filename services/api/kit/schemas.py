"""What all request bodies share."""

from datetime import UTC
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

__all__ = ["Input", "Moment", "Text"]

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # Postgres stores no null bytes
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Input(BaseModel):
    """A request body. A member that nobody reads is a mistake of the caller's, and said so."""

    model_config = ConfigDict(extra="forbid")
