"""Reading a competition's file: its form, and everything that is wrong with it at once, each with its place."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from services.api.files.form import (
    MAX_PAGES,
    MAX_PHASES,
    VERSION,
    CompetitionFile,
    FileHead,
    PageSection,
    PhaseSection,
    TeamsSection,
)
from services.api.files.text import MAX_MISTAKES, Document, Mistake, Path, dotted, read_yaml
from services.api.kit.schemas import Input, Moment
from services.core.errors import BadInput

__all__ = ["BadFile", "Reading", "Section", "read_file"]

Part = TypeVar("Part", bound=Input)
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
LISTS: dict[str, tuple[type[Input], int]] = {"pages": (PageSection, MAX_PAGES), "phases": (PhaseSection, MAX_PHASES)}
ROLES = ("organisers", "reviewers")


class BadFile(BadInput):
    """A file with mistakes; `errors` names each with its line."""

    code = "bad_competition_file"

    def __init__(self, mistakes: list[Mistake]) -> None:
        told = sorted(mistakes)[:MAX_MISTAKES]
        first = told[0]
        where = f"Line {first.line}" + (f", {first.path}" if first.path else "")
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(
            f"The file has {count}. {where}: {first.problem} {first.remedy}",
            errors=[{name: getattr(one, name) for name in Mistake.__slots__} for one in told],
        )
        self.mistakes = told


@dataclass(frozen=True, slots=True)
class Section:
    """A phase or page: what it says, its form with what is right in it, and its place in the file."""

    raw: dict[str, Any]
    part: Any  # None if something is wrong that a form needs
    path: Path


@dataclass
class Reading:
    """What could be read of a file, and what is wrong with it so far. More is found by those who know a database."""

    document: Document
    head: FileHead | None = None
    pages: list[Section] = field(default_factory=list)
    phases: list[Section] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def complain(self, path: Path, problem: str, remedy: str, *, of_key: bool = False) -> None:
        """Note a mistake at a path."""
        place = self.document.place(path, of_key=of_key)
        self.mistakes.append(Mistake(place.line, place.column, self.named(path), problem, remedy))

    def named(self, path: Path) -> str:
        """Write a path with the short name of a phase or page in place of its number."""
        match path:
            case (str(kind), int(index), *rest) if kind in LISTS:
                item = self.document.value[kind][index]
                slug = item.get("slug") if isinstance(item, dict) else None
                return dotted((kind, slug if isinstance(slug, str) else index, *rest))
        return dotted(path)

    def whole(self) -> CompetitionFile:
        """Return the form. Raises BadFile if anything is wrong."""
        if self.mistakes or self.head is None:
            raise BadFile(self.mistakes)
        values: dict[str, Any] = dict(self.head)
        values["pages"] = [one.part for one in self.pages]
        values["phases"] = [one.part for one in self.phases]
        return CompetitionFile.model_construct(**values)


def read_file(text: str) -> Reading:
    """Read a file; nothing is raised, so that what a database knows to be wrong can be told beside it."""
    document = read_yaml(text)
    reading = Reading(document, mistakes=list(document.mistakes))
    if document.value is None and document.mistakes:
        return reading
    if not isinstance(document.value, dict):
        reading.complain((), "The file holds no fields.", f"Begin it with `lethe: {VERSION}`.")
        return reading
    head = {name: value for name, value in document.value.items() if name not in LISTS}
    reading.head = _settled(reading, FileHead, head, ())
    reading.pages = list(_sections(reading, "pages"))
    reading.phases = list(_sections(reading, "phases"))
    for sections in (reading.pages, reading.phases):
        _refuse_twins(reading, sections)
    _refuse_second_roles(reading)
    _judge_windows(reading)
    return reading


def _sections(reading: Reading, kind: str) -> Iterator[Section]:
    model, most = LISTS[kind]
    items = reading.document.value.get(kind)
    if items is None:
        return
    if not isinstance(items, list):
        reading.complain((kind,), f"`{kind}` is not a list.", "Begin each with `- slug: its-name`.")
        return
    if len(items) > most:
        reading.complain((kind, most), f"There are {len(items)} {kind}; at most {most} are allowed.", "Remove some.")
    for index, item in enumerate(items[:most]):
        part = _settled(reading, model, item, (kind, index))
        if isinstance(item, dict):
            yield Section(item, part, (kind, index))


def _settled(reading: Reading, model: type[Part], raw: Any, path: Path) -> Part | None:
    """Validate a part and note its mistakes; return what is right in it, or None if something needed is wrong."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        errors = error.errors()
    for one in errors:
        _note(reading, model, one, path)
    if not isinstance(raw, dict):
        return None
    wrong = {one["loc"][0] for one in errors if one["loc"]}
    try:
        return model.model_validate({name: value for name, value in raw.items() if name not in wrong})
    except ValidationError:
        return None


def _note(reading: Reading, model: type[Input], error: ErrorDetails, path: Path) -> None:
    loc = error["loc"]
    if len(loc) > 1 and loc[0] == "teams":
        model = TeamsSection
    if error["type"] == "extra_forbidden":
        problem, remedy = f"There is no field `{loc[-1]}`.", _instead(str(loc[-1]), model)
        reading.complain((*path, *loc), problem, remedy, of_key=True)
    elif error["type"] == "missing":
        problem = f"`{loc[-1]}` is missing."
        reading.complain((*path, *loc), problem, f"Add it: {_about(model, str(loc[-1]))}")
    else:
        # Of a union the last parts of the place are names of its members, which the file does not have.
        here = next((one for one in _shortened((*path, *loc)) if one in reading.document.places), path)
        reading.complain(
            here,
            f"{_sentence(error)}",
            _remedy(error, model, str(loc[-1] if model is TeamsSection else loc[0]) if loc else ""),
        )


def _shortened(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(len(path), -1, -1))


def _instead(name: str, model: type[Input]) -> str:
    known = set(model.model_fields) | (set(LISTS) if model is FileHead else set())
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"Leave it out. The fields here are {', '.join(f'`{one}`' for one in sorted(known))}."


def _about(model: type[Input], name: str) -> str:
    return model.model_fields[name].description or "see the reference of the file."


def _sentence(error: ErrorDetails) -> str:
    said = error["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


_HINTS: dict[str, str] = {
    "string_type": "Put the text in quotes.",
    "timezone_aware": "Add a time zone: 2027-01-31T12:00:00Z.",
    "datetime_from_date_parsing": "Write it as 2027-01-31T12:00:00Z.",
    "datetime_parsing": "Write it as 2027-01-31T12:00:00Z.",
    "datetime_type": "Write it as 2027-01-31T12:00:00Z.",
    "model_type": "Write fields under it, each on a line of its own.",
    "literal_error": f"This version of Lethe reads `lethe: {VERSION}`.",
}


def _remedy(error: ErrorDetails, model: type[Input], name: str) -> str:
    hint = _HINTS.get(error["type"])
    if hint:
        return hint
    described = model.model_fields[name].description if name in model.model_fields else None
    return f"Correct it. {described}" if described else "Correct it."


def _refuse_twins(reading: Reading, sections: list[Section]) -> None:
    """Refuse two phases, or two pages, of one name."""
    first: dict[str, Section] = {}
    for one in sections:
        slug = one.raw.get("slug")
        other = first.setdefault(slug, one) if isinstance(slug, str) else one
        if other is not one:
            line = reading.document.place((*other.path, "slug")).line
            kind = "phase" if one.path[0] == "phases" else "page"
            problem = f"Another {kind} has the short name `{slug}`, in line {line}."
            reading.complain((*one.path, "slug"), problem, "Give one of them another name.")


def _refuse_second_roles(reading: Reading) -> None:
    """Refuse whoever is named twice: each person has one role."""
    first: dict[str, Path] = {}
    for role in ROLES:
        for index, name in enumerate(getattr(reading.head, role, None) or ()):
            path: Path = (role, index)
            if first.setdefault(name, path) != path:
                line = reading.document.place(first[name]).line
                reading.complain(
                    path, f"`{name}` is named in line {line} already.", "Remove one: a person has one role."
                )


def _judge_windows(reading: Reading) -> None:
    for one in reading.phases:
        opens, closes = _moment(one.raw.get("opens_at")), _moment(one.raw.get("closes_at"))
        if opens is not None and closes is not None and closes <= opens:
            problem = "The phase closes before it opens." if closes < opens else "The phase closes when it opens."
            reading.complain((*one.path, "closes_at"), problem, "Set `closes_at` later than `opens_at`.")


def _moment(raw: Any) -> datetime | None:
    try:
        return MOMENT.validate_python(raw)
    except ValidationError:
        return None
