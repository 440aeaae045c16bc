"""The pages of a frozen competition: HTML and CSS without scripts, and without anything from elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.api.frozen.markdown import rendered
from services.api.frozen.plane import Dot, plane
from services.api.leaderboard.schemas import Entry
from services.core.catalogue import FLAGS

__all__ = ["dot_of", "page", "text_of"]

TEMPLATES = Path(__file__).parent / "templates"


def page(name: str, **values: Any) -> Iterator[str]:
    """Render a page, part by part."""
    return _environment.get_template(f"{name}.html").generate(**values)


def text_of(name: str) -> str:
    """Return a file of the site that is the same for all competitions."""
    return (TEMPLATES / name).read_text()


def dot_of(entry: Entry) -> Dot:
    """Return what the plane shows of an entry."""
    ends = ("", "_low", "_high")
    return Dot(
        name=entry["entry"],
        forgetting=tuple(entry[f"forgetting_quality{end}"] for end in ends),
        utility=tuple(entry[f"utility{end}"] for end in ends),
        ranked=entry["rank"] is not None,
    )


def _plane(dots: Sequence[Dot]) -> Markup:
    return Markup("".join(plane(dots)))  # noqa: S704 - names are escaped where they are drawn


def _markdown(text: str, images: Mapping[str, str]) -> Markup:
    return Markup(rendered(text, images))  # noqa: S704 - the renderer escapes what is not Markdown


def _moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _span(entry: Entry) -> str:
    """Write the interval of a rank."""
    best, worst = entry["rank_best"], entry["rank_worst"]
    if best is None:
        return ""
    return str(best) if best == worst else f"{best}–{worst}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _paragraphs(text: str) -> Iterable[str]:
    return [part for part in text.split("\n\n") if part.strip()]


def _meaning(flag: str) -> str:
    return FLAGS[flag].meaning if flag in FLAGS else ""


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters |= {
    "markdown": _markdown,
    "meaning": _meaning,
    "moment": _moment,
    "number": _number,
    "paragraphs": _paragraphs,
    "plane": _plane,
    "span": _span,
}
