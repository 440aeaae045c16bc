"""Freezing a competition: its pages and its data into one archive, written as a stream."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from services.api.files.images import images_of
from services.api.files.stored import pages_of, stored_file
from services.api.files.writing import write_file
from services.api.frozen import contents, site
from services.api.frozen.archive import ArchiveWriter, writing_archive
from services.api.frozen.contents import Board
from services.api.leaderboard.exports import table
from services.api.leaderboard.schemas import Entry
from services.api.winners.schemas import FinalistOut
from services.core.board.standings import StandingsNotReady
from services.core.catalogue import chosen_columns
from services.core.models import Competition, CompetitionImage, CompetitionPage, Phase, Submission
from services.core.record.chain import Head, head_of, link
from services.core.record.receipts import ReceiptKey
from services.core.record.verifying import written
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession

__all__ = ["SEAL", "VERSION", "Frozen", "freeze"]

SEAL = "data/SEAL.json"
VERSION = 1
TRIES = 20  # to have a board computed, which may move meanwhile

Told = Callable[[int, int], None]  # how much is done, and of how much


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was written."""

    files: int
    entries: int
    head: Head


@dataclass
class _Freezing:
    database: Database
    blobs: Blobs
    competition: Competition
    phases: list[Phase]
    boards: dict[UUID, list[Board]]
    decided: list[tuple[str, FinalistOut]]
    pages: list[CompetitionPage]
    images: list[CompetitionImage]
    sealed: list[str]
    head: Head
    archive: ArchiveWriter
    key: ReceiptKey
    tell: Told
    done: int = 0
    shown: set[UUID] = field(default_factory=set)  # scores with a receipt

    @property
    def total(self) -> int:
        """Count what is to be done: rows of boards, and links of the record."""
        return sum(board.standings.total for some in self.boards.values() for board in some) + self.head.number

    def ticking(self, parts: Iterator[Any]) -> Iterator[Any]:
        for one in parts:
            self.done += 1
            self.tell(self.done, self.total)
            yield one

    def write(self) -> None:
        self._write_pages()
        for phase in self.phases:
            self._write_phase(phase)
        self._write_texts()
        self._write_record()

    def _page(self, address: str, template: str, title: str, **values: Any) -> None:
        root = "../" * address.count("/")
        menu = [
            (self.competition.title, "index.html"),
            *((one.title, f"pages/{one.slug}.html") for one in self.pages),
            *([("Winners", "winners.html")] if self.decided else []),
            ("Announcements", "announcements.html"),
        ]
        common = {"competition": self.competition, "head": self.head, "menu": menu, "root": root, "title": title}
        self.archive.add(address, site.page(template, **common | values))

    def _write_images(self) -> dict[str, str]:
        """Write the images of its pages; return each as a data URL, because a page of a file system loads nothing."""
        found: dict[str, str] = {}
        for one in self.images:
            data = self.blobs.get(one.blob)
            self.archive.add(f"data/images/{one.name}", [data])
            found[one.name] = f"data:{one.media_type};base64,{b64encode(data).decode()}"
        return found

    def _write_pages(self) -> None:
        images = self._write_images()
        phases = [(phase, self.boards[phase.id]) for phase in self.phases]
        self._page("index.html", "index", self.competition.title, phases=phases, sealed=self.sealed, images=images)
        for one in self.pages:
            self._page(f"pages/{one.slug}.html", "text", one.title, body=one.body, images=images)
        with self.database.read() as session:
            found = contents.announcements(session, self.competition)
        self._page("announcements.html", "announcements", "Announcements", announcements=found)
        if self.decided:
            self._write_winners()
        forms = [{"title": one.title, "body": one.body, "at": one.created_at.isoformat()} for one in found]
        self.archive.add("data/announcements.json", [json.dumps(forms, indent=1) + "\n"])

    def _write_winners(self) -> None:
        """Write what was decided on finalists, and the code of those who are verified and agreed."""
        codes: dict[str, str] = {}
        with self.database.read() as session:
            for _, one in self.decided:
                if one.code_published:
                    submission = session.get_one(Submission, one.submission_id)
                    name = f"code/{submission.id}.{submission.filename.rpartition('.')[2]}"
                    self.archive.add(name, [self.blobs.get(submission.blob)])
                    codes[str(submission.id)] = name
        self._page("winners.html", "winners", "Winners", winners=self.decided, codes=codes)
        forms = [one.model_dump(mode="json") | {"final": final} for final, one in self.decided]
        self.archive.add("data/winners.json", [json.dumps(forms, indent=1) + "\n"])

    def _write_phase(self, phase: Phase) -> None:
        boards = self.boards[phase.id]
        for board in boards:
            self._write_board(board)
        with self.database.read() as session:
            joint = list(contents.joint_rows(session, phase))
            if joint:
                name = f"data/phases/{phase.slug}/joint.json"
                self.archive.add(name, _as_list(row.model_dump(mode="json") for row in joint))
            dots = [site.dot_of(entry) for entry in contents.entries(session, boards[0])] if boards else []
            shown = ((board, self._rows(session, board)) for board in boards)
            self._page(
                f"phases/{phase.slug}.html",
                "phase",
                phase.title or phase.slug,
                phase=phase,
                dots=dots,
                joint=joint,
                boards=shown,
                chosen=chosen_columns(phase.columns),
            )

    def _rows(self, session: ReadSession, board: Board) -> Iterator[Entry]:
        """Read the places of a board, each with the name of its receipt."""
        entries = contents.entries(session, board)
        return (
            entry | {"receipt": name} for entry, name in zip(entries, contents.score_ids(session, board), strict=True)
        )

    def _write_board(self, board: Board) -> None:
        folder = f"data/phases/{board.phase.slug}"
        with self.database.read() as session:
            self.archive.add(
                f"{folder}/{board.name}.csv", _as_csv(contents.entries(session, board), board.phase.columns)
            )
            self.archive.add(f"{folder}/{board.name}.json", _as_list(self._rows(session, board)))
            suffix = board.name.removeprefix("board")
            self.archive.add(f"{folder}/scores{suffix}.json", _as_list(contents.scores(session, board)))
            for score_id, statement in self.ticking(contents.receipts(session, board)):
                if score_id not in self.shown:
                    self.shown.add(score_id)
                    signed = self.key.sign(statement)
                    self.archive.add(f"data/receipts/{score_id}.json", [json.dumps(signed, indent=1) + "\n"])

    def _write_texts(self) -> None:
        with self.database.read() as session:
            file = stored_file(session, self.competition)
        file.contact = ""  # an address of a person, which an archive would spread for ever
        file.organisers = file.reviewers = None  # so would names of people
        self.archive.add("data/competition.yaml", [write_file(file)])
        self.archive.add("README.md", [site.text_of("README.md")])

    def _write_record(self) -> None:
        names = {phase.slug for phase in self.phases}
        with self.database.read() as session:
            found = contents.record_of(session, self.competition, names, self.shown, self.head.number)
            self.archive.add("data/record.jsonl", map(written, self.ticking(found)))


def freeze(
    database: Database, blobs: Blobs, key: bytes, slug: str, out: Path, *, compute: Callable[[], object], tell: Told
) -> Frozen:
    """Write a competition into a new archive. `compute` has a scorer compute the boards that are asked for.

    Raises NotFound, BadInput if there is such a file, and StandingsNotReady if boards move all the time.
    """
    signer = ReceiptKey(key)
    _number(database)
    for _ in range(TRIES):
        try:
            found = _look(database, slug)
            break
        except StandingsNotReady as not_ready:
            compute()
            failure = not_ready
    else:
        raise failure
    with writing_archive(out, slug) as archive:
        work = _Freezing(database=database, blobs=blobs, archive=archive, key=signer, tell=tell, **found)
        work.write()
        sums, files = archive.add_sums()
        head = f"{work.head.number}:{work.head.hash}"
        statement = {
            "version": VERSION,
            "kind": "frozen competition",
            "competition": slug,
            "head": head,
            "files": files,
            "sums_sha256": sums,
        }
        archive.add(SEAL, [json.dumps(signer.sign(statement), indent=1) + "\n"])
    return Frozen(files=files + 2, entries=len(work.shown), head=work.head)


def _number(database: Database) -> None:
    """Give each act its number, so that all scores are in the record that is written."""
    while True:
        with database.write() as session:
            if not link(session):
                return


def _look(database: Database, slug: str) -> dict[str, Any]:
    """Find what is to be written, in one transaction."""
    with database.read() as session:
        competition = contents.find_to_freeze(session, slug)
        phases = contents.open_phases(session, competition)
        names = {phase.slug for phase in phases}
        return {
            "competition": competition,
            "phases": phases,
            "boards": {phase.id: contents.boards_of(session, database, phase) for phase in phases},
            "decided": contents.decided(session, phases),
            "pages": pages_of(session, competition),
            "images": list(images_of(session, competition)),
            "sealed": [one.slug for one in contents.all_phases(session, competition) if one.slug not in names],
            "head": head_of(session),
        }


def _as_csv(entries: Iterator[Entry], columns: list[str]) -> Iterator[str]:
    yield table([], columns, with_head=True)
    for entry in entries:
        yield table([entry], columns, with_head=False)


def _as_list(items: Iterator[dict[str, Any]]) -> Iterator[str | bytes]:
    """Write a JSON list, one item per line."""
    yield "["
    for number, item in enumerate(items):
        yield ",\n" if number else "\n"
        yield to_json(item)
    yield "\n]\n"
