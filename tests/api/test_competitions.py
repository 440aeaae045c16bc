"""Competitions, phases and benchmarks."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from services.core.models import BenchmarkRow, Competition, Phase, Role
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, add_benchmark
from tests.bundles import make_tiny_bundle

PHASE = {
    "slug": "feedback",
    "kind": "feedback",
    "benchmark": "tiny",
    "opens_at": "2026-01-01T00:00:00Z",
    "closes_at": "2099-01-01T00:00:00+02:00",
}
PHASES = "/api/competitions/cup/phases"
WINDOWS = (("late", "2026-02-01T00:00:00Z"), ("early", "2026-01-01T00:00:00Z"))


@pytest.fixture
def cup(api: Api, organiser: Caller) -> Caller:
    """The organiser of a competition `cup`, who may use a benchmark `tiny`."""
    with api.database.write() as session:
        add_benchmark(session)
    organiser.post("/api/competitions", json={"slug": "cup", "title": "Cup", "description": "Forget."})
    return organiser


def test_a_competition_is_shown_with_its_phases(api: Api, cup: Caller) -> None:
    made = cup.post(PHASES, json=PHASE)

    shown = api.anonymous.get("/api/competitions/cup").json()

    assert made.status_code == 201
    assert (shown["title"], shown["owner"]) == ("Cup", "organiser")
    assert shown["phases"] == [made.json()] == api.anonymous.get(PHASES).json()["items"]


def test_competitions_are_listed_with_their_own_phases(api: Api, cup: Caller) -> None:
    cup.post("/api/competitions", json={"slug": "other", "title": "Other"})
    made = [cup.post(PHASES, json=PHASE | {"slug": slug, "opens_at": opens}).json() for slug, opens in WINDOWS]

    listed = api.anonymous.get("/api/competitions").json()["items"]

    assert [(one["slug"], one["phases"]) for one in listed] == [("other", []), ("cup", made[::-1])]
    assert listed[1] == api.anonymous.get("/api/competitions/cup").json()


def test_a_phase_has_sane_defaults(cup: Caller) -> None:
    made = cup.post(PHASES, json=PHASE).json()

    assert made["benchmark"] == {"name": "tiny", "digest": "d" * 64, "accepted_unfit": None}
    assert made["is_open"] is True
    defaults = {
        "seeds": 512,
        "shard_seeds": 64,
        "quota_per_day": 5,
        "seed_timeout_s": 60.0,
        "memory_bytes": 2 * 1024**3,
        "device": "cpu",
        "metric": "neurips-2023",
        "max_time_ratio": 0.2,
        "data_hidden": True,
        "notebooks": False,
        "notebook_timeout_s": 8 * 3600.0,
        "cuda_stand_in": False,
        "take_first": False,
    }
    assert {name: made[name] for name in defaults} == defaults


@pytest.mark.parametrize(("kind", "hidden"), [("check", False), ("feedback", True), ("final", True)])
def test_data_are_hidden_in_every_phase_but_checks(cup: Caller, kind: str, hidden: bool) -> None:
    assert cup.post(PHASES, json=PHASE | {"kind": kind}).json()["data_hidden"] is hidden
    asked = PHASE | {"kind": kind, "slug": "other", "data_hidden": not hidden}
    assert cup.post(PHASES, json=asked).json()["data_hidden"] is not hidden


@pytest.mark.parametrize(
    "wrong",
    [
        {"closes_at": "2026-01-01T00:00:00Z"},
        {"opens_at": "2026-01-01T00:00:00"},
        {"seeds": 0},
        {"shard_seeds": 0},
        {"seed_timeout_s": 0},
        {"max_time_ratio": "nan"},
        {"memory_bytes": 2**60},
        {"kind": "other"},
        {"metric": "other"},
        {"slug": "Upper"},
        {"unknown": 1},
    ],
)
def test_phases_that_make_no_sense_are_refused(cup: Caller, wrong: dict[str, object]) -> None:
    answer = cup.post(PHASES, json=PHASE | wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_phase_that_would_have_closed_already_is_refused(cup: Caller) -> None:
    past = {"opens_at": "2025-01-01T00:00:00Z", "closes_at": "2025-02-01T00:00:00Z"}
    answer = cup.post(PHASES, json=PHASE | past)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_window")
    assert answer.json()["detail"].startswith("The phase would have closed already, at 2025-02-01 00:00:00 UTC.")


@pytest.mark.parametrize("slug", ["Upper", "", "a_b", "\u043a\u0443\u0431\u043e\u043a", "-a"])
def test_a_short_name_that_is_refused_is_told_in_words(cup: Caller, slug: str) -> None:
    detail = cup.post("/api/competitions", json={"slug": slug, "title": "Cup"}).json()["detail"]

    assert "slug: use 1 to 63 of the letters a-z, digits and hyphens (-)" in detail


def test_a_phase_needs_a_benchmark_that_exists(cup: Caller) -> None:
    assert cup.post(PHASES, json=PHASE | {"benchmark": "none"}).json()["code"] == "unknown_benchmark"
    assert cup.post(PHASES, json=PHASE | {"benchmark": "d" * 64}).status_code == 201


def test_a_benchmark_named_means_its_newest(api: Api, cup: Caller) -> None:
    with api.database.write() as session:
        add_benchmark(session, digest="e" * 64)
        session.execute(
            update(BenchmarkRow).where(BenchmarkRow.digest == "d" * 64).values(created_at=utc_now() - timedelta(1))
        )

    assert cup.post(PHASES, json=PHASE).json()["benchmark"]["digest"] == "e" * 64


def test_slugs_are_taken_once(cup: Caller) -> None:
    cup.post(PHASES, json=PHASE)

    assert cup.post("/api/competitions", json={"slug": "cup", "title": "Again"}).json()["code"] == "slug_taken"
    assert cup.post(PHASES, json=PHASE).json()["code"] == "slug_taken"


def test_only_its_organiser_and_operators_run_a_competition(api: Api, cup: Caller) -> None:
    other, root = api.caller("other", Role.ORGANISER), api.caller("root", Role.OPERATOR)
    cup.post(PHASES, json=PHASE)

    for method, path, body in (
        ("POST", PHASES, PHASE | {"slug": "second"}),
        ("PATCH", f"{PHASES}/feedback", {"quota_per_day": 9}),
    ):
        assert other.request(method, path, json=body).json()["code"] == "not_organiser"
        assert root.request(method, path, json=body).status_code in (200, 201)


def test_an_operator_weighs_a_competition(api: Api, cup: Caller) -> None:
    assert cup.request("PATCH", "/api/competitions/cup", json={"weight": 2}).status_code == 403
    operator = api.caller("operator", Role.OPERATOR)
    for wrong in (0, 101, None):
        assert operator.request("PATCH", "/api/competitions/cup", json={"weight": wrong}).status_code == 422
    assert operator.request("PATCH", "/api/competitions/cup", json={"weight": 2}).json()["weight"] == 2
    assert api.anonymous.get("/api/competitions/cup").json()["weight"] == 2


def test_window_and_quota_of_a_phase_change(cup: Caller) -> None:
    cup.post(PHASES, json=PHASE)

    sooner = {"closes_at": "2026-02-01T00:00:00Z", "confirm": True}
    closed = cup.request("PATCH", f"{PHASES}/feedback", json=sooner).json()
    changed = cup.request("PATCH", f"{PHASES}/feedback", json={"quota_per_day": 0, "confirm": True}).json()

    assert closed["is_open"] is False
    assert (changed["closes_at"], changed["quota_per_day"]) == ("2026-02-01T00:00:00Z", 0)
    bad = cup.request("PATCH", f"{PHASES}/feedback", json={"opens_at": "2027-01-01T00:00:00Z"})
    assert bad.json()["code"] == "bad_window"
    assert cup.request("PATCH", f"{PHASES}/feedback", json={"seeds": 3}).status_code == 422


def test_less_for_participants_of_an_open_phase_is_confirmed_and_announced(api: Api, cup: Caller) -> None:
    cup.post(PHASES, json=PHASE)
    for less in ({"quota_per_day": 4}, {"closes_at": "2098-01-01T00:00:00Z"}, {"opens_at": "2026-01-02T00:00:00Z"}):
        refused = cup.request("PATCH", f"{PHASES}/feedback", json=less)
        assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert cup.request("PATCH", f"{PHASES}/feedback", json={"quota_per_day": 6}).json()["quota_per_day"] == 6
    assert api.anonymous.get("/api/competitions/cup/announcements").json()["items"] == []

    assert cup.request("PATCH", f"{PHASES}/feedback", json={"quota_per_day": 1, "confirm": True}).status_code == 200

    [post] = api.anonymous.get("/api/competitions/cup/announcements").json()["items"]
    assert "feedback.quota_per_day: 6 before, 1 now" in post["body"]


def test_pages_of_competitions_are_those_of_a_list(api: Api, organiser: Caller) -> None:
    """Many share a moment of creation, and more come while somebody reads."""
    assert organiser.account is not None
    moments = [utc_now() - timedelta(hours=number % 4) for number in range(23)]
    with api.database.write() as session:
        rows = [
            Competition(slug=f"c{number}", title="Cup", owner_id=organiser.account.id, created_at=moment)
            for number, moment in enumerate(moments)
        ]
        session.add_all(rows)
    expected = [row.slug for row in sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)]

    seen: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "5"} | ({"after": after} if after else {})
        page = api.anonymous.get("/api/competitions", params=query).json()
        seen += [item["slug"] for item in page["items"]]
        organiser.post("/api/competitions", json={"slug": f"late-{len(seen)}", "title": "Late"})
        after = page["next"]
        if after is None:
            break

    assert seen == expected


def test_benchmarks_are_described_without_their_files(api: Api, tmp_path: Path) -> None:
    manifest = make_tiny_bundle(tmp_path / "bundle").manifest
    with api.database.write() as session:
        session.add(
            BenchmarkRow(
                name=manifest.name,
                digest=manifest.digest,
                manifest=manifest.model_dump(mode="json"),
                manifest_blob=manifest.digest,
            )
        )

    [shown] = api.anonymous.get("/api/benchmarks").json()["items"]

    assert shown["digest"] == manifest.digest
    assert shown["counts"] == manifest.counts.model_dump()
    assert "files" not in shown


def test_phases_store_memory_beyond_32_bits(api: Api, cup: Caller) -> None:
    cup.post(PHASES, json=PHASE | {"memory_bytes": 64 * 1024**3})

    with api.database.read() as session:
        assert session.query(Phase).one().memory_bytes == 64 * 1024**3


def test_a_phase_takes_notebooks_only_on_a_benchmark_that_they_can_read(api: Api, cup: Caller, tmp_path: Path) -> None:
    manifest = make_tiny_bundle(tmp_path / "bundle").manifest.model_dump(mode="json")
    fitting = {"name": "fits", "architecture": "resnet18", "classes": 10, "input_shape": [3, 32, 32]}
    rows = (manifest | {"name": "flat", "oracle_seeds": 512}, manifest | fitting | {"oracle_seeds": 512})
    with api.database.write() as session:
        for number, row in enumerate(rows):
            digest = str(number) * 64
            session.add(BenchmarkRow(name=row["name"], digest=digest, manifest=row, manifest_blob=digest))

    refused = cup.post(PHASES, json=PHASE | {"benchmark": "flat", "notebooks": True})
    taken = cup.post(PHASES, json=PHASE | {"benchmark": "fits", "notebooks": True})

    assert (refused.status_code, refused.json()["code"]) == (422, "not_for_notebooks")
    assert (taken.status_code, taken.json()["notebooks"]) == (201, True)


def test_a_phase_reads_models_under_stress_only_on_a_benchmark_with_anchors(
    api: Api, cup: Caller, tmp_path: Path
) -> None:
    for name, robust in (("old", False), ("robust", True)):
        row = make_tiny_bundle(tmp_path / name, robustness=robust).manifest.model_dump(mode="json") | {"name": name}
        with api.database.write() as session:
            session.add(BenchmarkRow(name=name, digest=name.ljust(64, "0"), manifest=row, manifest_blob="b" * 64))
    body = PHASE | {"seeds": 64, "robustness": True}

    refused = cup.post(PHASES, json=body | {"benchmark": "old"})
    taken = cup.post(PHASES, json=body | {"benchmark": "robust"})
    off = cup.post(PHASES, json=body | {"benchmark": "robust", "slug": "off", "robustness": False})

    assert (refused.status_code, refused.json()["code"]) == (422, "no_robustness")
    assert "--robustness" in refused.json()["detail"]
    assert (taken.status_code, taken.json()["robustness_s"]) == (201, 64 * 0.5 + 4 * 2.0)
    assert (off.json()["robustness"], off.json()["robustness_s"]) == (False, None)


def test_a_phase_audits_by_placebo_runs_only_on_a_benchmark_with_placebos(
    api: Api, cup: Caller, tmp_path: Path
) -> None:
    for name, placebos in (("old", 0), ("audited", 4)):
        row = make_tiny_bundle(tmp_path / name, placebos=placebos, oracle_seeds=80).manifest.model_dump(mode="json")
        with api.database.write() as session:
            session.add(BenchmarkRow(name=name, digest=name.ljust(64, "0"), manifest=row, manifest_blob="b" * 64))
    body = PHASE | {"seeds": 80, "placebo_audit": True}

    refused = cup.post(PHASES, json=body | {"benchmark": "old"})
    taken = cup.post(PHASES, json=body | {"benchmark": "audited"})
    off = cup.post(PHASES, json=body | {"benchmark": "old", "slug": "off", "placebo_audit": False})

    assert (refused.status_code, refused.json()["code"]) == (422, "no_placebos")
    assert (taken.status_code, taken.json()["placebo_audit"], taken.json()["placebo_runs"]) == (201, True, 64)
    assert (off.json()["placebo_audit"], off.json()["placebo_runs"]) == (False, 0)


def test_a_phase_has_at_most_as_many_runs_as_the_oracle_has_models(api: Api, cup: Caller) -> None:
    refused = cup.post(PHASES, json=PHASE | {"seeds": 513})
    taken = cup.post(PHASES, json=PHASE | {"seeds": 512})

    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_models")
    assert "at most 512" in refused.json()["detail"]
    assert taken.status_code == 201


def test_the_starting_kit_is_one_file_to_download(api: Api) -> None:
    answer = api.anonymous.get("/api/starting-kit")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())
        module = archive.read("starting_kit/my_unlearning.py")
    assert {"starting_kit/README.md", "starting_kit/my_notebook.ipynb"} <= names
    assert module == (Path(__file__).parents[2] / "starting_kit/my_unlearning.py").read_bytes()
