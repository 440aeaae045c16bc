"""A benchmark that was exported elsewhere comes in: in parts, verified beside requests, published by consent."""

import gzip
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from services.api.benchmarks import receiving
from services.api.benchmarks.clearing import ABANDONED, UNDECIDED
from services.api.benchmarks.verifying import Verifier
from services.api.kit.holding import MOST_ATTEMPTS
from services.core.bundle.archive import export_bundle
from services.core.bundle.store import materialise
from services.core.models import Act, AuditEvent, BenchmarkRow, BenchmarkUpload, BenchmarkUploadPart, Role
from services.core.store import parts as parts_module
from services.core.store import room
from services.core.store.blobs import sha256_hex
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller
from tests.bundles import make_tiny_bundle, make_unfit_bundle

UPLOADS = "/api/benchmark-uploads"
SMALL = 4096  # bytes of a part here, so that a tiny benchmark has several


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parts_module, receiving):
        monkeypatch.setattr(module, "PART_BYTES", SMALL)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("exported")
    export_bundle(make_tiny_bundle(root / "tiny", oracle_seeds=8), root / "tiny.tar")
    return (root / "tiny.tar").read_bytes()


@pytest.fixture(scope="module")
def unfit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    root = tmp_path_factory.mktemp("unfit")
    export_bundle(make_unfit_bundle(root / "tiny"), root / "tiny.tar")
    return (root / "tiny.tar").read_bytes()


@pytest.fixture
def operator(api: Api) -> Caller:
    return api.caller("root", Role.OPERATOR)


def begin(who: Caller, data: bytes, name: str = "tiny.tar") -> httpx2.Response:
    new = {"filename": name, "size_bytes": len(data), "head_sha256": sha256_hex(data[:SMALL])}
    return who.post(UPLOADS, json=new)


def put(who: Caller, upload: str, offset: int, part: bytes, sha256: str | None = None) -> httpx2.Response:
    query = {"sha256": sha256 or sha256_hex(part)}
    return who.request("PUT", f"{UPLOADS}/{upload}/parts/{offset}", content=part, params=query)


def parts_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    for offset in range(0, len(data), SMALL):
        yield offset, data[offset : offset + SMALL]


def send(who: Caller, data: bytes) -> dict[str, Any]:
    """Upload all of a file and return how the server shows it then."""
    upload = begin(who, data).json()
    for offset, part in parts_of(data):
        answer = put(who, upload["id"], offset, part)
        assert answer.status_code == 200, answer.text
        upload = answer.json()
    return dict(upload)


def work(api: Api) -> int:
    """Let a verifier do all that waits."""
    verifier = Verifier(api.state.settings, api.database, api.state.blobs)
    steps = 0
    while verifier.step():
        steps += 1
    return steps


def shown(who: Caller, upload: dict[str, Any]) -> dict[str, Any]:
    return dict(who.get(f"{UPLOADS}/{upload['id']}").json())


def stored(api: Api) -> list[Path]:
    """The files of uploads in the store."""
    root = api.state.settings.data_dir / "blobs" / "uploads"
    return [path for path in root.rglob("*") if path.is_file()]


def acts(api: Api) -> list[AuditEvent]:
    with api.database.read() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.created_at, AuditEvent.id)))


def test_a_benchmark_is_uploaded_verified_consented_to_and_published(
    api: Api, organiser: Caller, operator: Caller, archive: bytes, tmp_path: Path
) -> None:
    upload = send(organiser, archive)
    assert (upload["state"], upload["received_bytes"]) == ("verifying", len(archive))
    assert work(api) == 1
    waiting = shown(organiser, upload)
    assert (waiting["state"], waiting["reason"], waiting["may_decide"]) == ("waiting", None, False)
    assert (waiting["found"]["name"], waiting["found"]["architecture_known"]) == ("tiny", False)
    assert "def build()" in operator.get(f"{UPLOADS}/{upload['id']}/architecture").json()["text"]
    with api.database.read() as session:
        assert session.scalars(select(BenchmarkRow)).all() == []
    assert organiser.post(f"{UPLOADS}/{upload['id']}/consent", json={}).json()["code"] == "not_trusted"

    agreed = operator.post(f"{UPLOADS}/{upload['id']}/consent", json={})

    assert (agreed.status_code, agreed.json()["state"]) == (202, "publishing")
    assert work(api) == 2  # it is published, and its parts are removed
    published = shown(organiser, upload)
    assert (published["state"], published["decided_by"]) == ("published", "root")
    with api.database.read() as session:
        row = session.scalars(select(BenchmarkRow)).one()
        bundle = materialise(session, api.state.blobs, row.digest, tmp_path / "cache")
        assert session.scalars(select(BenchmarkUploadPart)).all() == []
    bundle.verify()
    export_bundle(bundle, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == archive
    assert stored(api) == []
    assert not list((api.state.settings.data_dir / "cache/uploads").iterdir())
    done = [(one.act, one.account_id) for one in acts(api)]
    by = operator.account.id if operator.account else None
    assert done == [(Act.BENCHMARK_CONSENTED, by), (Act.BENCHMARK_PUBLISHED, by)]
    assert [one["name"] for one in api.anonymous.get("/api/benchmarks").json()["items"]] == ["tiny"]
    again = send(organiser, archive)
    work(api)
    assert "Choose it" in shown(organiser, again)["reason"]


def test_a_broken_upload_goes_on_where_it_stood(api: Api, organiser: Caller, archive: bytes) -> None:
    first = begin(organiser, archive)
    assert first.status_code == 201
    upload = first.json()["id"]
    assert put(organiser, upload, 0, archive[:SMALL]).json()["received_bytes"] == SMALL
    assert put(organiser, upload, SMALL, archive[SMALL : 2 * SMALL - 7]).json()["code"] == "wrong_offset"  # cut off
    again = begin(organiser, archive)
    assert (again.status_code, again.json()["id"], again.json()["received_bytes"]) == (200, upload, SMALL)
    assert put(organiser, upload, 0, archive[:SMALL]).status_code == 200  # its answer was lost
    skipped = put(organiser, upload, 2 * SMALL, archive[2 * SMALL : 3 * SMALL])
    assert (skipped.status_code, skipped.json()["code"], skipped.json()["received_bytes"]) == (
        409,
        "wrong_offset",
        SMALL,
    )
    assert len(stored(api)) == 1
    for offset, part in parts_of(archive):
        assert put(organiser, upload, offset, part).status_code == 200
    work(api)
    assert shown(organiser, {"id": upload})["state"] == "waiting"


def test_a_part_is_checked_before_it_counts(api: Api, organiser: Caller, archive: bytes) -> None:
    upload = begin(organiser, archive).json()["id"]
    damaged = put(organiser, upload, 0, b"\0" + archive[1:SMALL], sha256_hex(archive[:SMALL]))
    assert (damaged.status_code, damaged.json()["code"]) == (422, "damaged_part")
    other = put(organiser, upload, 0, b"\0" + archive[1:SMALL])
    assert (other.status_code, other.json()["code"]) == (422, "damaged_part")
    long = put(organiser, upload, 0, archive[: SMALL + 1])
    assert (long.status_code, long.json()["code"]) == (413, "too_large")
    assert put(organiser, upload, 0, b"").json()["code"] == "wrong_offset"
    assert stored(api) == []
    assert shown(organiser, {"id": upload})["received_bytes"] == 0


def test_two_who_send_at_once_do_not_mix(api: Api, organiser: Caller, archive: bytes, unfit: bytes) -> None:
    """Two people send different files, one of them from two windows that do not know of each other."""
    other = api.caller("other", Role.ORGANISER)
    ids = {who.account.username: begin(who, data).json()["id"] for who, data in ((organiser, archive), (other, unfit))}  # type: ignore[union-attr]

    def window(who: Caller, upload: str, data: bytes) -> None:
        while True:
            at = int(shown(who, {"id": upload})["received_bytes"])
            if at == len(data):
                return
            assert put(who, upload, at, data[at : at + SMALL]).status_code in {200, 409}

    with ThreadPoolExecutor(3) as pool:
        windows = [
            pool.submit(window, organiser, ids["organiser"], archive),
            pool.submit(window, organiser, ids["organiser"], archive),
            pool.submit(window, other, ids["other"], unfit),
        ]
    assert [one.result() for one in windows] == [None] * 3
    work(api)
    assert [shown(who, {"id": ids[name]})["state"] for who, name in ((organiser, "organiser"), (other, "other"))] == [
        "waiting",
        "waiting",
    ]
    assert other.get(f"{UPLOADS}/{ids['organiser']}").status_code == 404
    assert put(other, ids["organiser"], 0, archive[:SMALL]).status_code == 404
    assert len(other.get(UPLOADS).json()["items"]) == 1


def test_somebody_who_gives_up_removes_nothing_of_others(
    api: Api, organiser: Caller, operator: Caller, archive: bytes
) -> None:
    """The same bytes are sent by two, and are also a published benchmark's: one gives up."""
    blob = api.state.blobs.put(archive[:SMALL])
    other = api.caller("other", Role.ORGANISER)
    mine, theirs = begin(organiser, archive).json()["id"], begin(other, archive).json()["id"]
    assert mine != theirs
    for who, upload in ((organiser, mine), (other, theirs)):
        put(who, upload, 0, archive[:SMALL])
    assert other.request("DELETE", f"{UPLOADS}/{mine}").status_code == 404
    assert organiser.request("DELETE", f"{UPLOADS}/{mine}").json()["state"] == "refused"
    work(api)
    assert api.state.blobs.get(blob) == archive[:SMALL]
    assert [path.parent.name for path in stored(api)] == [theirs]
    late = put(organiser, mine, SMALL, archive[SMALL : 2 * SMALL])
    assert late.json()["code"] == "upload_closed"
    assert len(stored(api)) == 1
    assert operator.request("DELETE", f"{UPLOADS}/{theirs}").json()["state"] == "refused"
    assert [one.act for one in acts(api)] == [Act.BENCHMARK_REFUSED]  # of the one that was somebody else's


def test_abandoned_uploads_are_cleared(api: Api, organiser: Caller, archive: bytes) -> None:
    begun = begin(organiser, archive).json()
    put(organiser, begun["id"], 0, archive[:SMALL])
    moved(api, begun, ABANDONED - timedelta(minutes=1))
    work(api)
    assert shown(organiser, begun)["state"] == "uploading"
    moved(api, begun, ABANDONED + timedelta(minutes=1))
    assert work(api) == 1
    cleared = shown(organiser, begun)
    assert (cleared["state"], stored(api)) == ("refused", [])
    assert "Upload the file again" in cleared["reason"]
    waiting = send(organiser, archive)
    work(api)
    moved(api, waiting, UNDECIDED + timedelta(minutes=1))
    work(api)
    assert (shown(organiser, waiting)["state"], stored(api)) == ("refused", [])


def moved(api: Api, upload: dict[str, Any], ago: timedelta) -> None:
    with api.database.write() as session:
        mine = update(BenchmarkUpload).where(BenchmarkUpload.filename == upload["filename"])
        session.execute(mine.values(moved_at=utc_now() - ago))


def test_there_are_limits(api: Api, organiser: Caller, archive: bytes) -> None:
    most = api.state.settings.max_benchmark_bytes
    new = {"filename": "a.tar", "size_bytes": most + 1, "head_sha256": "0" * 64}
    answer = organiser.post(UPLOADS, json=new)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "LETHE_MAX_BENCHMARK_BYTES" in answer.json()["detail"]
    for number in range(receiving.MOST_OPEN):
        assert organiser.post(UPLOADS, json=new | {"size_bytes": 9 + number}).status_code == 201
    assert organiser.post(UPLOADS, json=new | {"size_bytes": 99}).json()["code"] == "too_many_uploads"
    assert api.caller("ada").post(UPLOADS, json=new | {"size_bytes": 9}).status_code == 403


def test_a_full_disk_is_named_and_loses_nothing(
    api: Api, organiser: Caller, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "KEPT_FREE_BYTES", 2**60)
    refused = begin(organiser, archive)
    assert (refused.status_code, refused.json()["code"]) == (507, "no_room")
    monkeypatch.undo()
    for module in (parts_module, receiving):
        monkeypatch.setattr(module, "PART_BYTES", SMALL)
    upload = send(organiser, archive)
    monkeypatch.setattr(room, "KEPT_FREE_BYTES", 2**60)
    assert work(api) == 1
    late = shown(organiser, upload)
    assert late["state"] == "verifying"
    assert "free some space" in late["reason"]
    monkeypatch.setattr(room, "KEPT_FREE_BYTES", 0)
    assert work(api) == 0  # it tries again a while later
    with api.database.write() as session:
        session.execute(update(BenchmarkUpload).values(leased_until=None))
    work(api)
    assert (shown(organiser, upload)["state"], shown(organiser, upload)["reason"]) == ("waiting", None)


def test_an_unfit_benchmark_needs_a_reason(api: Api, organiser: Caller, operator: Caller, unfit: bytes) -> None:
    upload = send(organiser, unfit)
    work(api)
    path = f"{UPLOADS}/{upload['id']}/consent"
    bare = operator.post(path, json={})
    assert (bare.status_code, "placebo ratio" in bare.json()["detail"]) == (422, True)
    assert operator.post(path, json={"accept_unfit": "It is the one of 2023."}).status_code == 202
    work(api)
    done = shown(organiser, upload)
    assert (done["state"], done["found"]["accepted_unfit"]) == ("published", "It is the one of 2023.")
    assert acts(api)[-1].details["accepted_unfit"] == "It is the one of 2023."


def test_somebody_refuses_with_a_reason(api: Api, organiser: Caller, operator: Caller, archive: bytes) -> None:
    upload = send(organiser, archive)
    early = operator.post(f"{UPLOADS}/{upload['id']}/consent", json={})
    assert (early.status_code, early.json()["code"]) == (409, "upload_closed")
    work(api)
    path = f"{UPLOADS}/{upload['id']}/refuse"
    assert organiser.post(path, json={"reason": "I may not."}).status_code == 403
    assert operator.post(path, json={"reason": "Give it a licence."}).json()["state"] == "refused"
    work(api)
    assert (shown(organiser, upload)["reason"], stored(api)) == ("Give it a licence.", [])
    assert [one.act for one in acts(api)] == [Act.BENCHMARK_REFUSED]


def test_a_trusted_organiser_publishes(api: Api, organiser: Caller, operator: Caller, archive: bytes) -> None:
    trust = "/api/admin/accounts/organiser"
    assert operator.request("PATCH", trust, json={"publishes_benchmarks": True}).json()["publishes_benchmarks"]
    assert organiser.get("/api/me").json()["account"]["publishes_benchmarks"]
    upload = send(organiser, archive)
    work(api)
    assert shown(organiser, upload)["may_decide"]
    assert organiser.post(f"{UPLOADS}/{upload['id']}/consent", json={}).status_code == 202
    work(api)
    assert shown(organiser, upload)["state"] == "published"
    taken = operator.request("PATCH", trust, json={"role": "participant"}).json()
    assert not taken["publishes_benchmarks"]
    refused = operator.request("PATCH", trust, json={"publishes_benchmarks": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_an_organiser")
    assert Act.ACCOUNT_TRUSTED in {one.act for one in acts(api)}


def test_a_process_that_dies_or_stops_is_followed_by_another(api: Api, organiser: Caller, archive: bytes) -> None:
    upload = send(organiser, archive)
    stopping = Verifier(api.state.settings, api.database, api.state.blobs)
    stopping.close()
    assert stopping.step()
    with api.database.read() as session:
        row = session.scalars(select(BenchmarkUpload)).one()
        assert (row.attempts, row.leased_until) == (0, None)
    left = api.state.settings.data_dir / "cache/uploads/of-a-dead-process"
    left.mkdir(parents=True)
    with api.database.write() as session:
        dead = {"attempts": 1, "leased_until": utc_now() - timedelta(seconds=1)}
        session.execute(update(BenchmarkUpload).values(**dead))
    work(api)
    assert (shown(organiser, upload)["state"], left.exists()) == ("waiting", False)
    for attempts, ends in ((MOST_ATTEMPTS, "refused"),):
        with api.database.write() as session:
            session.execute(
                update(BenchmarkUpload).values(state="verifying", attempts=attempts, leased_until=utc_now())
            )
        work(api)
        assert shown(organiser, upload)["state"] == ends


def test_a_part_that_was_spoiled_in_the_store_is_noticed(api: Api, organiser: Caller, archive: bytes) -> None:
    upload = send(organiser, archive)
    spoiled = sorted(stored(api))[1]
    spoiled.write_bytes(b"\0" * len(spoiled.read_bytes()))
    work(api)
    ended = shown(organiser, upload)
    assert (ended["state"], "Upload the file again" in ended["reason"]) == ("refused", True)


# Hostile archives

Members = dict[str, bytes]


def members_of(archive: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        return {one.name: packed.extractfile(one).read() for one in packed.getmembers()}  # type: ignore[union-attr]


def packed(members: Members) -> bytes:
    """Pack members behind a manifest that names each as it is."""
    described = json.loads(members["manifest.json"])
    files = {name: data for name, data in members.items() if name != "manifest.json"}
    described["files"] = {name: {"sha256": sha256_hex(data), "size_bytes": len(data)} for name, data in files.items()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in {"manifest.json": json.dumps(described).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


MARK = Path(tempfile.gettempdir()) / "lethe-was-unpickled"
PICKLE = f"cos\nmkdir\n(V{MARK}\ntR.".encode()  # makes the directory, if anything unpickles it


def described(members: Members, **changes: Any) -> Members:
    return members | {"manifest.json": json.dumps(json.loads(members["manifest.json"]) | changes).encode()}


HOSTILE: dict[str, tuple[Callable[[Members], Members], str]] = {
    "a pickle in the oracle's place": (
        lambda m: m | {"hidden/oracle.safetensors": PICKLE},
        "oracle.safetensors is not a safetensors file",
    ),
    "a pickle beside": (lambda m: m | {"hidden/oracle.pkl": PICKLE}, "oracle.pkl is not a file of"),
    "code beside": (lambda m: m | {"public/sitecustomize.py": b"1/0"}, "sitecustomize.py is not a file of"),
    "a lack": (lambda m: {k: v for k, v in m.items() if k != "hidden/test.safetensors"}, "lacks hidden/test"),
    "no code": (lambda m: m | {"public/architecture.py": b"def build("}, "architecture.py is not Python"),
    "deep code": (lambda m: m | {"public/architecture.py": b"-" * 200_000 + b"1"}, "architecture.py is not Python"),
    "other code": (lambda m: m | {"public/architecture.py": b"x = 1"}, "a function build"),
    "labels of another split": (
        lambda m: m | {"public/forget.safetensors": m["public/retain.safetensors"]},
        "forget.safetensors does not hold 8 images",
    ),
    "another model": (
        lambda m: m | {"public/original.safetensors": m["public/retain.safetensors"]},
        "the checkpoint's tensors",
    ),
    "fewer oracle models": (lambda m: described(m, oracle_seeds=9), "9 models"),
    "fewer classes": (lambda m: described(m, classes=2), "labels below 2"),
    "a huge count": (
        lambda m: described(m, counts=json.loads(m["manifest.json"])["counts"] | {"test": 10**15}),
        "images of the shape",
    ),
    "text turned around": (lambda m: described(m, title="tiny\u202e"), "invisible characters"),
    "a NUL": (lambda m: described(m, licence="CC0\0"), "invisible characters"),
    "no number": (lambda m: described(m, recipe={"rate": float("nan")}), "not a finite number"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_archives_are_refused(api: Api, organiser: Caller, archive: bytes, attack: str) -> None:
    change, says = HOSTILE[attack]
    upload = send(organiser, packed(change(members_of(archive))))
    assert work(api) == 2
    ended = shown(organiser, upload)
    assert (ended["state"], ended["found"]) == ("refused", None)
    assert says in ended["reason"]
    assert stored(api) == []
    assert not MARK.exists()
    assert not list((api.state.settings.data_dir / "cache/uploads").iterdir())
    with api.database.read() as session:
        assert session.scalars(select(BenchmarkRow)).all() == []


def raw(name: str, kind: bytes, data: bytes, *, size: int | None = None, link: str = "") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, len(data) if size is None else size, link
    return member.tobuf(tarfile.GNU_FORMAT) + data + b"\0" * (-len(data) % 512)


def pax(records: dict[str, str]) -> bytes:
    member = tarfile.TarInfo("x")
    return member.create_pax_global_header(records)


def unfinished(data: bytes) -> bytes:
    """Name a deep value in the manifest, so deep that a parser which recurses would overflow."""
    deep = data.replace(b"{", b'{"recipe": ' + b"[" * 9000, 1)
    return raw("manifest.json", tarfile.REGTYPE, deep[: 64 * 1024])


TARS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda a: b"\0" * 10240,
    "noise": lambda a: bytes(range(256)) * 64,
    "cut off": lambda a: a[: len(a) // 2],
    "gzip": gzip.compress,
    "a path above": lambda a: a[:512] + a[512:].replace(b"public/", b"../../x"),
    "a link first": lambda a: raw("manifest.json", tarfile.SYMTYPE, b"", link="/etc/passwd") + a,
    "a long name of many megabytes": lambda a: raw("x", tarfile.GNUTYPE_LONGNAME, b"a" * 5_000_000) + a,
    "a header of many megabytes": lambda a: raw("x", tarfile.XHDTYPE, b"1" * 5_000_000) + a,
    "a header that announces terabytes": lambda a: raw("x", tarfile.XHDTYPE, b"1" * 5_000_000, size=2**42) + a,
    "a chain of headers": lambda a: raw("x", tarfile.XHDTYPE, b"10 a=bcde\n") * 4000 + a,
    "a sparse file of terabytes": lambda a: raw("x", tarfile.GNUTYPE_SPARSE, b"", size=2**42) + a,
    "a sparse map": lambda a: pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}) + a,
    "a size that is no number": lambda a: pax({"size": "many"}) + a,
    "deep JSON": lambda a: unfinished(a[512:]),
    "a directory": lambda a: raw("public", tarfile.DIRTYPE, b"") + a,
    "a device": lambda a: raw("hidden/null", tarfile.CHRTYPE, b"") + a,
}


@pytest.mark.parametrize("attack", TARS)
def test_hostile_tars_are_refused_in_little_memory(api: Api, organiser: Caller, archive: bytes, attack: str) -> None:
    upload = send(organiser, TARS[attack](archive)[: 2 * 1024**2])
    assert work(api) == 2
    ended = shown(organiser, upload)
    assert ended["state"] == "refused"
    assert ended["reason"].endswith(".")
    assert stored(api) == []
