"""A place in the queue, and what a file is likely to take, in words."""

from datetime import datetime
from typing import Any

__all__ = ["forecast_in_words", "place_in_words"]


def place_in_words(place: dict[str, Any]) -> str:
    """Say how many shards run before an entry's, and when it starts and ends, in local time."""
    number = f"more than {place['ahead']}" if place["more"] else str(place["ahead"])
    said = [f"shards ahead in the queue: {number}"]
    said += [f"{what} {_moment(place[what])}" for what in ("starts", "ends") if place[what]]
    return "; ".join(said)


def forecast_in_words(forecast: dict[str, Any]) -> list[str]:
    """Say in lines what a submission of a file is likely to take, and which limits it is likely to break."""
    lines = [f"warning: {warning}" for warning in forecast["warnings"]]
    if run := forecast["run_s"]:
        scaled = "" if forecast["scale"] == 1.0 else f", times {forecast['scale']:.3g} for the size of the training set"
        memory = forecast["peak_memory_bytes"]
        lines.append(
            f"forecast: {run['expected']:.3g} s a run (90% {run['low']:.3g} to {run['high']:.3g})"
            + (f", {memory / 1e6:,.0f} MB of memory" if memory is not None else "")
            + f"; from {forecast['runs']} runs of this code in phase {forecast['phase']}{scaled}"
        )
    else:
        lines.append("forecast: no run of this code is known. Try it in a check phase or with `lethe evaluate` first.")
    if place := forecast["place"]:
        lines.append(f"forecast: {place_in_words(place)}")
    return lines


def _moment(span: dict[str, str]) -> str:
    expected, low, high = (datetime.fromisoformat(span[one]).astimezone() for one in ("expected", "low", "high"))
    return f"about {expected:%Y-%m-%d %H:%M} (90% {low:%m-%d %H:%M} to {high:%m-%d %H:%M} {high:%Z})"
