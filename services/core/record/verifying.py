"""Checking the record: in a database with all scores, or as an exported file by itself."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import exists, select

from services.core.errors import BadInput
from services.core.models import Act, AuditEvent, Score
from services.core.record.chain import ChainReport, Head, Link, check_chain, links
from services.core.record.figures import digests_of
from services.core.store.database import Database

__all__ = ["export", "parse_head", "read_line", "verify_database", "verify_file", "verify_lines", "written"]

PORTION = 500
MOST_NAMED = 20


def export(database: Database, file: Path) -> int:
    """Write the chain to a new file, one act per line; return how many."""
    count = 0
    with database.read() as session, file.open("x") as out:
        for one in links(session):
            out.write(written(one))
            count += 1
    return count


def written(one: Link) -> str:
    """Write one act as a line of an export."""
    return json.dumps({"number": one.number, "hash": one.hash, "body": one.body}) + "\n"


def verify_file(file: Path, known: Iterable[Head] = ()) -> ChainReport:
    """Check an exported chain. Raises BadInput if the file is none."""
    with file.open() as lines:
        return verify_lines(lines, known)


def verify_lines(lines: Iterable[str], known: Iterable[Head] = ()) -> ChainReport:
    """Check the lines of an exported chain. Raises BadInput if they are none."""
    return check_chain((read_line(line, place) for place, line in enumerate(lines, start=1)), known)


def verify_database(database: Database, known: Iterable[Head] = ()) -> ChainReport:
    """Check the chain of a database, and that each score is as it was when it was recorded, and each is on record."""
    with database.read() as session:
        report = check_chain(links(session), known)
    report.problems += islice(_score_problems(database), MOST_NAMED)
    return report


def parse_head(written: str) -> Head:
    """Read a head written as NUMBER:HASH. Raises BadInput."""
    number, _, its_hash = written.partition(":")
    if not number.isdecimal() or len(its_hash) != 64:
        raise BadInput(f"{written!r} is no head of the record. Write NUMBER:HASH, as `lethe audit head` prints it.")
    return Head(int(number), its_hash)


def read_line(line: str, place: int) -> Link:
    """Read a line of an export. Raises BadInput if it is none."""
    try:
        found = json.loads(line)
        body = None if found["body"] is None else dict(found["body"])
        return Link(int(found["number"]), str(found["hash"]), body)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"Line {place} is no act of a record. Export it again with `lethe audit export`.") from error


def _score_problems(database: Database) -> Iterator[str]:
    recorded = select(AuditEvent.subject_id, AuditEvent.details).where(AuditEvent.act == Act.SCORED)
    with database.read() as session, database.read() as looking:
        rows = session.execute(recorded.execution_options(yield_per=PORTION))
        for portion in rows.partitions():
            now = digests_of(looking, [row.subject_id for row in portion])
            for row in portion:
                if row.subject_id not in now:
                    yield f"Score {row.subject_id} is on record and not in the database: it was dropped."
                elif now[row.subject_id] != row.details["digest"]:
                    yield f"Score {row.subject_id} is not as it was recorded: it was changed."
        on_record = exists().where(AuditEvent.act == Act.SCORED, AuditEvent.subject_id == Score.id)
        for score_id in session.scalars(select(Score.id).where(~on_record)):
            yield f"Score {score_id} is not on record: it was not written by a scorer."
