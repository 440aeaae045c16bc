"""What participants of an open phase rely on, and when a change takes some of it from them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.core.errors import Conflict
from services.core.models import Visibility

__all__ = ["ConfirmationNeeded", "breaks", "in_words", "is_relied_on", "require_confirmation"]

Breaks = Callable[[Any, Any], bool]


class ConfirmationNeeded(Conflict):
    code = "confirmation_needed"


def _differs(before: object, after: object) -> bool:
    return before != after


def _is_later(before: datetime, after: datetime) -> bool:
    return after > before


def _is_earlier(before: datetime, after: datetime) -> bool:
    return after < before


def _is_less(before: int | None, after: int | None) -> bool:
    return after is not None and (before is None or after < before)


def _ends_earlier(before: datetime | None, after: datetime | None) -> bool:
    return before is not None and (after is None or after < before)


BREAKS: dict[str, Breaks] = {
    **dict.fromkeys(("kind", "benchmark", "seeds", "metric", "device", "environment"), _differs),
    **dict.fromkeys(("seed_timeout_s", "memory_bytes", "max_time_ratio", "data_hidden"), _differs),
    **dict.fromkeys(("notebooks", "notebook_timeout_s", "cuda_stand_in", "take_first", "rehearse"), _differs),
    **dict.fromkeys(("robustness", "placebo_audit"), _differs),
    "opens_at": _is_later,
    "closes_at": _is_earlier,
    "quota_per_day": _is_less,
    "quota_total": _is_less,
    "teams.size": _is_less,
    "teams.merge_until": _ends_earlier,
}


def is_relied_on(visibility: Visibility, opens_at: datetime, now: datetime) -> bool:
    """Tell whether anybody relies on a phase: others see it, and it has opened."""
    return visibility in (Visibility.PUBLIC, Visibility.UNLISTED) and opens_at <= now


def breaks(name: str, before: Any, after: Any) -> bool:
    """Tell whether a field of a phase, or of a competition's teams, takes something from participants by its change."""
    return name in BREAKS and BREAKS[name](before, after)


def require_confirmation(paths: list[str], *, confirm: bool) -> None:
    """Raise ConfirmationNeeded if fields would break a promise and nobody has confirmed that."""
    if not paths or confirm:
        return
    named = ", ".join(f"`{path}`" for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    raise ConfirmationNeeded(
        f"This changes {named}, on which participants of an open phase rely. Confirm it, and the change is announced "
        "to them.",
        paths=paths,
    )


def in_words(name: str, before: Any, after: Any) -> str:
    """Say how a field changes, for participants."""
    if name == "teams.merge_until":
        before, after = (one or "no merging" for one in (before, after))
    return f"{name}: {_shown(before)} before, {_shown(after)} now"


def _shown(value: Any) -> str:
    match value:
        case None:
            return "no limit"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value)
