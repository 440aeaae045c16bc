"""What is wrong with a request or a setting, in words: pydantic's own speak of types and validators."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["mistake_in_words"]

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; remove it or check its spelling",
    "uuid_parsing": "must be an id, such as 0f9a5f0e-5d0c-4b57-9d0a-3f1f4d0a4c11; copy it whole",
    "datetime_from_date_parsing": "must be a moment with a time zone, such as 2027-01-31T12:00:00Z",
    "datetime_parsing": "must be a moment with a time zone, such as 2027-01-31T12:00:00Z",
    "timezone_aware": "must have a time zone, as 2027-01-31T12:00:00Z has",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
}
_SUBJECT = re.compile(r"^(Input|String|List|Set|Tuple|Dictionary|Value|Data) should ")
_PLACES = ("body", "query", "path", "header", "cookie")


def mistake_in_words(error: Mapping[str, Any]) -> str:
    """Name the field of a validation error, and what it must be."""
    if error["type"] == "json_invalid":  # whose place is a column
        return "The body must be JSON"
    where = [str(part) for part in error["loc"]]
    if where and where[0] in _PLACES:
        where = where[1:]
    said = _WORDS.get(error["type"]) or _SUBJECT.sub("must ", error["msg"].removeprefix("Value error, ")).rstrip(".")
    if where:
        return f"{'.'.join(where)}: {said}"
    return f"The body {said}" if error["type"] in _WORDS else said
