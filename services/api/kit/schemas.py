"""Types that all request bodies share."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.core.text import tidy

__all__ = ["Input", "Label", "Moment", "Slug", "Text", "in_words", "presentable", "visible"]

FIRST_YEAR, LAST_YEAR = 1970, 9998
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Control characters, line separators, Unicode's Default_Ignorable_Code_Point (joiners, direction marks, fillers, tags,
# variation selectors), interlinear marks, the blank Braille pattern, private use, and code points without a character.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)


def _no_unstorable(text: str) -> str:
    """Refuse what no database stores: Postgres no null byte, and neither database a lone surrogate."""
    if found := _UNSTORABLE.search(text):
        raise ValueError(f"must not contain null bytes or lone surrogates (found U+{ord(found[0]):04X})")
    return text


def _all_visible(text: str) -> str:
    """Refuse a text that shows less than it holds: it could pass for another, control a terminal, or break a line."""
    if found := _INVISIBLE.search(text):
        raise ValueError(f"must not contain invisible or control characters (found U+{ord(found[0]):04X})")
    return text


def presentable(text: str) -> str:
    """Refuse what a page or terminal should not get in a text of several lines, such as a direction mark."""
    if tidy(text, limit=len(text)) != text:
        raise ValueError("must not contain invisible or control characters")
    return text


def visible(text: str) -> str:
    """Leave out of a text what a label may not contain."""
    return _INVISIBLE.sub("", text).strip()


def in_words(words: str) -> WrapValidator:
    """Say what a value must be in words, in place of the pattern or the length that it missed."""

    def check(value: Any, follow: ValidatorFunctionWrapHandler) -> Any:
        try:
            return follow(value)
        except ValidationError as error:
            if error.errors()[0]["type"] == "value_error":  # a sentence of ours that says more
                raise
            raise PydanticCustomError("in_words", "{words}", {"words": words}) from error

    return WrapValidator(check)


def _in_range(moment: datetime) -> datetime:
    """Turn a moment into UTC. Years 1 and 9999 are refused, because a time zone can move them out of the calendar."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment.astimezone(UTC)


Text = Annotated[str, AfterValidator(_no_unstorable)]  # of a path or a query; bodies are checked whole
Label = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_all_visible)
]
Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    in_words("use 1 to 63 of the letters a-z, digits and hyphens (-), with a letter or digit at both ends"),
]


class Input(BaseModel):
    """A request body. It refuses unknown members, so that a caller notices a misspelt one."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: Any) -> Any:
        """Refuse what no database stores anywhere in a body: as a member's name it would only break the refusal."""
        waiting = [body]
        while waiting:
            match waiting.pop():
                case str(text):
                    _no_unstorable(text)
                case dict(members):
                    waiting += [*members.keys(), *members.values()]
                case list(items):
                    waiting += items
        return body
