"""A contest that ends in an archive: it holds what everybody may read and nothing else, and shows every tampering."""

import hashlib
import json
import re
import subprocess
import zipfile
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exists, select, update

from services.api.frozen.checking import check
from services.api.frozen.freezing import Frozen, freeze
from services.core.catalogue import require_column
from services.core.errors import BadInput, LetheError
from services.core.models import Act, AuditEvent, Competition, Phase, Score, Visibility
from services.core.record.acts import record_scores
from services.core.record.chain import Head
from services.core.record.receipts import ReceiptKey, check_receipt
from services.core.record.verifying import verify_file
from services.core.store.database import utc_now
from tests.api.finals import end_runs, entries_of, make_final, publish, start
from tests.api.harness import KEY, Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.test_images import drawn, put
from tests.api.test_judging import disqualify

HOSTILE = (
    "<script>alert(1)</script> ![far](https://far.example/a.png) [x](javascript:alert(2)) [ok](https://ok.example)"
)


def put_on_record(api: Api) -> None:
    """Record scores that tests wrote as a scorer records its own."""
    on_record = exists().where(AuditEvent.act == Act.SCORED, AuditEvent.subject_id == Score.id)
    with api.database.write() as session:
        for score in session.scalars(select(Score).where(~on_record)):
            record_scores(session, session.scalars(select(Phase)).first(), [score])  # type: ignore[arg-type]


def frozen(api: Api, out: Path) -> Frozen:
    put_on_record(api)
    return freeze(
        api.database, api.state.blobs, KEY.encode(), "cup", out, compute=api.anonymous.keep_boards, tell=lambda *_: None
    )


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return folder / "cup"


@pytest.fixture
def contest(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    """A published final, and a sealed one."""
    make_final(organiser)
    submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, api.caller("eve"), code(2), 0.4)
    start(api, organiser)
    end_runs(api, {"ada": 0.2, "eve": 0.6})
    assert publish(organiser).status_code == 200
    applied = organiser.get("/api/competitions/cup/file").json()
    text = applied["text"].replace('rules: ""', f"rules: |\n  # Fair play\n\n  {HOSTILE}")
    text = text.replace('contact: ""', 'contact: "grace@cup.example"')
    body = {"text": text, "based_on": applied["token"], "confirm": True}
    answer = organiser.post("/api/competition-files/apply", json=body)
    assert answer.status_code == 200, answer.text
    organiser.post("/api/competitions/cup/announcements", json={"title": "Welcome", "body": "One.\n\nTwo."})
    make_final(organiser, slug="secret", opens_at=(utc_now() + timedelta(hours=2)).isoformat())


def test_a_frozen_contest_opens_without_a_server_and_proves_itself(
    api: Api, contest: None, organiser: Caller, tmp_path: Path
) -> None:
    late = entries_of(api)["eve/entry"]
    done = frozen(api, tmp_path / "cup.zip")
    disqualify(organiser, submission_id=str(late.id))
    frozen(api, tmp_path / "later.zip")

    root = unpacked(tmp_path / "cup.zip", tmp_path)

    assert done.entries == 4
    names = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
    assert {"index.html", "phases/final.html", "pages/rules.html", "announcements.html"} <= names
    assert not any("secret" in name for name in names)
    assert not any("grace@cup.example" in (root / name).read_text() for name in names)
    pages = "\n".join((root / name).read_text() for name in names if name.endswith(".html"))
    for active in ("<script", "javascript:", "<img", "<link", "src="):
        assert active not in pages, active
    rules = (root / "pages/rules.html").read_text()
    assert "<h3>Fair play</h3>" in rules
    assert '<a href="https://far.example/a.png" rel="noopener noreferrer nofollow">far</a>' in rules
    board = json.loads((root / "data/phases/final/board.json").read_text())
    assert [(row["entry"], row["rank"]) for row in board] == [("eve", 1), ("ada", 2)]
    assert (root / "data/phases/final/board.csv").read_text().count("\n") == 3
    assert "sealed" in (root / "index.html").read_text()
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=root, check=False).returncode == 0
    receipt = check_receipt((root / f"data/receipts/{board[0]['receipt']}.json").read_bytes())["statement"]
    assert (receipt["team"], receipt["final"]["commitment"]) == (
        "eve",
        api.anonymous.get("/api/competitions/cup/phases/final/final").json()["commitment"],
    )
    report = verify_file(root / "data/record.jsonl", [done.head])
    assert (report.problems, report.head) == ([], done.head)
    assert 0 < report.hidden < report.links
    for place in (root, tmp_path / "cup.zip"):
        found = check(place, key=ReceiptKey(KEY.encode()).public, known=[done.head])
        assert (found.problems, found.receipts, found.rows) == ([], 4, 4)
    later = check(tmp_path / "later.zip")
    assert (later.problems, later.rows) == ([], 5)
    with zipfile.ZipFile(tmp_path / "later.zip") as packed:
        after = json.loads(packed.read("cup/data/phases/final/board.json"))
        before = json.loads(packed.read("cup/data/phases/final/board-as-published.json"))
    assert [[row["entry"] for row in rows] for rows in (after, before)] == [["ada"], ["eve", "ada"]]


def test_its_boards_show_the_columns_that_a_phase_chose(api: Api, contest: None, tmp_path: Path) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).where(Phase.slug == "final").values(columns=["ssd.zrf", "gone.column"]))
        for score in session.scalars(select(Score)):
            score.suites = {"ssd": {"zrf": 0.123456}}
    api.anonymous.keep_boards()

    frozen(api, tmp_path / "cup.zip")

    root = unpacked(tmp_path / "cup.zip", tmp_path)
    page = (root / "phases/final.html").read_text()
    head = re.findall(r"<th[^>]*>([^<]*)</th>", page)
    chosen = require_column("ssd.zrf").title
    assert head[head.index("of retraining") :][:4] == ["of retraining", chosen, "gone.column", "notes"]
    assert (page.count("<td>0.1235</td>"), page.count("<td>–</td>")) == (2, 2)
    lines = (root / "data/phases/final/board.csv").read_text().splitlines()
    assert [line.split(",")[-2:] for line in lines] == [["ssd.zrf", "gone.column"], *[["0.123456", ""]] * 2]
    assert chosen not in (root / "phases/feedback.html").read_text()


def test_its_pages_hold_the_competitions_own_images(api: Api, phase: Phase, organiser: Caller, tmp_path: Path) -> None:
    written = drawn()
    assert put(organiser, "/api/competitions/cup/images/plot.png", written).status_code == 200
    text = '![a "plot"](images/plot.png) ![no](images/none.png) ![far](https://far.example/images/plot.png)'
    with api.database.write() as session:
        session.execute(update(Competition).values(description=text))
    api.anonymous.keep_boards()

    frozen(api, tmp_path / "cup.zip")

    root = unpacked(tmp_path / "cup.zip", tmp_path)
    page = (root / "index.html").read_text()
    kept = (root / "data/images/plot.png").read_bytes()
    assert page.count("<img ") == 1
    assert f'<img src="data:image/png;base64,{b64encode(kept).decode()}" alt="a &quot;plot&quot;">' in page
    assert "img-src data:;" in page
    assert '<a href="https://far.example/images/plot.png"' in page
    assert check(tmp_path / "cup.zip").problems == []


def test_an_archive_has_the_same_bytes_and_is_whole_or_not_there(api: Api, contest: None, tmp_path: Path) -> None:
    frozen(api, tmp_path / "one.zip")
    frozen(api, tmp_path / "two.zip")
    with pytest.raises(BadInput, match="there already"):
        frozen(api, tmp_path / "one.zip")

    def stop(done: int, _total: int) -> None:
        assert (tmp_path / ".three.zip.part").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        freeze(
            api.database, api.state.blobs, KEY.encode(), "cup", tmp_path / "three.zip", compute=lambda: None, tell=stop
        )

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert {one.name for one in tmp_path.glob("*zip*")} | {one.name for one in tmp_path.glob(".*")} == {
        "one.zip",
        "two.zip",
    }


def test_a_draft_is_not_frozen(api: Api, contest: None, tmp_path: Path) -> None:
    with api.database.write() as session:
        session.scalars(select(Competition)).one().visibility = Visibility.DRAFT

    with pytest.raises(LetheError, match="draft"):
        frozen(api, tmp_path / "cup.zip")


def test_winners_are_in_it_and_only_their_published_code(
    api: Api, contest: None, organiser: Caller, participant: Caller, tmp_path: Path
) -> None:
    with api.database.write() as session:
        session.scalars(select(Competition)).one().code_licence = "MIT"
    found = organiser.get("/api/competitions/cup/phases/final/final/winners").json()["items"]
    ids = {one["team"]: one["submission_id"] for one in found}
    participant.request("PUT", f"/api/submissions/{ids['ada']}/agreement", json={"licence": "MIT"})
    for team, selected in ids.items():
        path = f"/api/competitions/cup/phases/final/final/winners/{selected}/verify"
        assert organiser.post(path, json={"reason": f"Read <b>{team}</b>."}).status_code == 200

    frozen(api, tmp_path / "cup.zip")

    root = unpacked(tmp_path / "cup.zip", tmp_path)
    assert [file.name for file in (root / "code").iterdir()] == [f"{ids['ada']}.py"]
    assert (root / f"code/{ids['ada']}.py").read_bytes() == code(1)
    assert "Read &lt;b&gt;eve&lt;/b&gt;." in (root / "winners.html").read_text()
    assert check(root).problems == []


def rows_of(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((root / "data/phases/final/board.json").read_text())
    return found


def write_rows(root: Path, rows: list[dict[str, Any]]) -> None:
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    (root / "data/phases/final/board.json").write_text(text)


def lines_of(root: Path) -> list[str]:
    return (root / "data/record.jsonl").read_text().splitlines(keepends=True)


def edit_row(root: Path) -> None:
    rows = rows_of(root)
    rows[1]["final_score"] = 0.9
    write_rows(root, rows)


def drop_row(root: Path) -> None:
    write_rows(root, rows_of(root)[:1])


def swap_rows(root: Path) -> None:
    one, two = rows_of(root)
    write_rows(root, [one | {"entry": two["entry"]}, two | {"entry": one["entry"]}])


def reorder_rows(root: Path) -> None:
    write_rows(root, rows_of(root)[::-1])


def edit_receipt(root: Path) -> None:
    file = root / f"data/receipts/{rows_of(root)[0]['receipt']}.json"
    file.write_text(file.read_text().replace('"eve"', '"ada"'))


def drop_receipt(root: Path) -> None:
    (root / f"data/receipts/{rows_of(root)[0]['receipt']}.json").unlink()


def swap_receipts(root: Path) -> None:
    one, two = (root / f"data/receipts/{row['receipt']}.json" for row in rows_of(root))
    kept = one.read_text()
    one.write_text(two.read_text())
    two.write_text(kept)


def edit_record(root: Path) -> None:
    text = (root / "data/record.jsonl").read_text()
    (root / "data/record.jsonl").write_text(text.replace('"final_score": 0.6', '"final_score": 0.7'))


def drop_act(root: Path) -> None:
    (root / "data/record.jsonl").write_text("".join(lines_of(root)[:-2] + lines_of(root)[-1:]))


def swap_acts(root: Path) -> None:
    lines = lines_of(root)
    lines[2], lines[3] = lines[3], lines[2]
    (root / "data/record.jsonl").write_text("".join(lines))


def cut_record(root: Path) -> None:
    (root / "data/record.jsonl").write_text("".join(lines_of(root)[:-1]))


def edit_page(root: Path) -> None:
    (root / "phases/final.html").write_text((root / "phases/final.html").read_text().replace("eve", "ada"))


def add_file(root: Path) -> None:
    (root / "phases/second.html").write_text("more")


TAMPERINGS: list[tuple[Callable[[Path], None], str | None]] = [
    (edit_row, "is not what its receipt says"),
    (drop_row, None),
    (swap_rows, "is not what its receipt says"),
    (reorder_rows, "does not stand in its place"),
    (edit_receipt, "signature"),
    (drop_receipt, "has no receipt"),
    (swap_receipts, "another score"),
    (edit_record, "does not have the hash of its content"),
    (drop_act, "missing or swapped"),
    (swap_acts, "missing or swapped"),
    (cut_record, "is not there any more"),
    (edit_page, None),
    (add_file, None),
]


def test_every_tampering_is_found_even_if_the_checksums_were_made_again(
    api: Api, contest: None, tmp_path: Path
) -> None:
    done = frozen(api, tmp_path / "cup.zip")
    for number, (tamper, said) in enumerate(TAMPERINGS):
        root = unpacked(tmp_path / "cup.zip", tmp_path / str(number))
        tamper(root)
        assert any("checksum" in one or "missing" in one for one in check(root).problems), tamper

        sum_again(root)

        problems = check(root, known=[Head(done.head.number, done.head.hash)]).problems
        assert any("not the file that was sealed" in one for one in problems), tamper
        assert said is None or any(said in one for one in problems), (tamper, problems)


def test_an_archive_that_somebody_else_sealed_has_another_key(api: Api, contest: None, tmp_path: Path) -> None:
    frozen(api, tmp_path / "cup.zip")
    root = unpacked(tmp_path / "cup.zip", tmp_path)
    edit_row(root)
    sum_again(root)
    forger = ReceiptKey(b"forger")
    seal = json.loads((root / "data/SEAL.json").read_text())["statement"]
    seal["sums_sha256"] = hashlib.sha256((root / "SHA256SUMS").read_bytes()).hexdigest()
    (root / "data/SEAL.json").write_text(json.dumps(forger.sign(seal)))

    problems = check(root, key=ReceiptKey(KEY.encode()).public).problems

    assert any("signed by another key" in one for one in problems)
    assert any("signed by another key" in one for one in check(root).problems)  # its receipts are not


def sum_again(root: Path) -> None:
    files = sorted(file for file in root.rglob("*") if file.is_file() and file.name not in ("SHA256SUMS", "SEAL.json"))
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(root).as_posix()}\n" for file in files
    ]
    (root / "SHA256SUMS").write_text("".join(lines))
