"""Checking a frozen competition, packed or unpacked, without a server: whatever was changed is found."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.api.frozen.archive import SUMS
from services.api.frozen.freezing import SEAL
from services.core.errors import BadInput
from services.core.models import Act
from services.core.record.chain import ChainReport, Head, Link, check_chain
from services.core.record.receipts import BadReceipt, check_receipt
from services.core.record.verifying import parse_head, read_line

__all__ = ["Findings", "check"]

RECORD = "data/record.jsonl"
RECEIPTS = "data/receipts/"
PHASES = "data/phases/"
CHUNK = 1 << 20
MAX_LINE = 1 << 24  # of a file that is read as text
MAX_SMALL = 1 << 24  # of a file that is read at once
COMPARED = ("final_score", "ci_low", "ci_high", "forgetting_quality", "utility", "seeds", "metric")

Place = zipfile.Path | Path


@dataclass(slots=True)
class Findings:
    """What a check found."""

    files: int = 0
    receipts: int = 0
    rows: int = 0
    key: str = ""
    report: ChainReport = field(default_factory=ChainReport)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Checking:
    root: Place
    files: dict[str, Place]
    key: str | None
    found: Findings = field(default_factory=Findings)
    stated: dict[str, dict[str, Any]] = field(default_factory=dict)  # by score: what its receipt says, to compare

    def check(self, known: list[Head]) -> Findings:
        head = self._seal()
        self._receipts()
        self._record([*known, *([head] if head else [])])
        self._boards()
        return self.found

    def _complain(self, problem: str) -> None:
        self.found.problems.append(problem)

    def _read(self, name: str) -> bytes:
        if name not in self.files:
            return b""
        with self.files[name].open("rb") as file:
            data = file.read(MAX_SMALL + 1)
        if len(data) > MAX_SMALL:
            raise BadInput(f"{name} is far too long. This is no archive of `lethe competition freeze`.")
        return bytes(data)

    def _seal(self) -> Head | None:
        """Check seal and checksums; return the head of the record that was sealed."""
        sums = self._read(SUMS)
        self._sums(sums)
        try:
            seal = check_receipt(self._read(SEAL), self.key)
        except BadReceipt as error:
            self._complain(f"{SEAL}: {error.message}")
            return None
        self.found.key = seal["public_key"]
        if seal["statement"].get("sums_sha256") != hashlib.sha256(sums).hexdigest():
            self._complain(f"{SUMS} is not the file that was sealed: files were edited, dropped, added or swapped.")
        return parse_head(str(seal["statement"].get("head")))

    def _sums(self, sums: bytes) -> None:
        wanted = {name: digest for digest, _, name in (line.partition("  ") for line in sums.decode().splitlines())}
        for name in sorted(self.files.keys() - wanted.keys() - {SUMS, SEAL}):
            self._complain(f"{name} has no checksum: it was added.")
        for name, digest in sorted(wanted.items()):
            if name not in self.files:
                self._complain(f"{name} is missing: it was dropped.")
            elif self._digest(name) != digest:
                self._complain(f"{name} does not have its checksum: it was changed.")
            self.found.files += 1

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        with self.files[name].open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def _receipts(self) -> None:
        for name in sorted(self.files):
            if not name.startswith(RECEIPTS):
                continue
            try:
                stated = check_receipt(self._read(name), self.key or self.found.key or None)["statement"]
            except BadReceipt as error:
                self._complain(f"{name}: {error.message}")
                continue
            if name != f"{RECEIPTS}{stated.get('score')}.json":
                self._complain(f"{name} is the receipt of another score: it was swapped.")
            self.found.receipts += 1
            self.stated[str(stated.get("score"))] = _short(stated)

    def _record(self, known: list[Head]) -> None:
        if RECORD not in self.files:
            return
        on_record: set[str] = set()

        def noted() -> Iterator[Link]:
            for place, line in enumerate(self._lines(RECORD), start=1):
                one = read_line(line, place)
                if one.body is not None and one.body.get("act") == Act.SCORED:
                    self._compare_score(one.body, on_record)
                yield one

        self.found.report = check_chain(noted(), known)
        self.found.problems += self.found.report.problems
        for score in sorted(self.stated.keys() - on_record):
            self._complain(f"Score {score} has a receipt and is not on record.")

    def _compare_score(self, body: dict[str, Any], on_record: set[str]) -> None:
        score = str(body.get("subject"))
        on_record.add(score)
        stated = self.stated.get(score)
        if stated is None:
            self._complain(f"Score {score} is on record and has no receipt.")
        elif stated["digest"] != body["details"].get("digest"):
            self._complain(f"Score {score} is on record with another digest than in its receipt.")

    def _boards(self) -> None:
        for name in sorted(self.files):
            if name.startswith(PHASES) and "/board" in name and name.endswith(".json"):
                self._board(name)

    def _board(self, name: str) -> None:
        last = 0
        for line in self._lines(name):
            if line.strip() in ("[", "]"):
                continue
            row = json.loads(line.rstrip().removesuffix(","))
            stated = self.stated.get(row["receipt"])
            self.found.rows += 1
            if stated is None:
                self._complain(f"{name}: {row['entry']} has no receipt.")
            elif any(stated[one] != row[one] for one in COMPARED) or stated["team"] != row["entry"]:
                self._complain(f"{name}: the row of {row['entry']} is not what its receipt says.")
            if row["rank"] is not None and row["rank"] < last:
                self._complain(f"{name}: {row['entry']} does not stand in its place.")
            last = row["rank"] or last

    def _lines(self, name: str) -> Iterator[str]:
        with self.files[name].open("rb") as file, io.TextIOWrapper(file, encoding="utf-8") as lines:
            while line := lines.readline(MAX_LINE):
                yield line


def check(place: Path, *, key: str | None = None, known: list[Head] | None = None) -> Findings:
    """Check an archive, or the folder that it was unpacked to. Raises BadInput if it is none."""
    if place.is_dir():
        files: dict[str, Place] = {
            file.relative_to(place).as_posix(): file for file in place.rglob("*") if not file.is_dir()
        }
        return _check(place, files, key, known)
    try:
        with zipfile.ZipFile(place) as packed:
            names = packed.namelist()
            if len(set(names)) < len(names) or len({name.partition("/")[0] for name in names}) > 1:
                raise BadInput(f"{place} holds two files of one name, or several folders. Get the archive again.")
            inside = {name.partition("/")[2]: zipfile.Path(packed, name) for name in names}
            return _check(zipfile.Path(packed), dict(inside), key, known)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInput(f"{place} cannot be read as a zip. Name an archive of `lethe competition freeze`.") from error


def _check(root: Place, files: dict[str, Place], key: str | None, known: list[Head] | None) -> Findings:
    if SUMS not in files:
        raise BadInput(f"It has no file {SUMS}. Name an archive of `lethe competition freeze`, or its unpacked folder.")
    try:
        return _Checking(root, files, key).check(known or [])
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise BadInput("A file in it cannot be read: it was changed. Get the archive again.") from error


def _short(stated: dict[str, Any]) -> dict[str, Any]:
    """Keep of a receipt what is compared, because there may be many."""
    figures = stated["figures"]
    return {name: figures[name] for name in COMPARED} | {"team": stated["team"], "digest": stated["score_sha256"]}
