"""A competition as one file: what it may say, what it changes, and that it is applied whole or not at all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, inspect, select

from services.api.files.form import CompetitionFile, FileHead, PageSection, PhaseSection, TeamsSection
from services.api.files.reading import read_file
from services.api.files.stored import stored_file
from services.api.files.writing import write_file
from services.api.kit.schemas import presentable, visible
from services.api.phases.service import OF_FINALS
from services.core.models import (
    Act,
    AuditEvent,
    BenchmarkRow,
    Campaign,
    CampaignState,
    Competition,
    CompetitionVersion,
    Phase,
    PhaseKind,
    RegistrationMode,
    Role,
    Visibility,
)
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, add_benchmark, numbered
from tests.bundles import make_tiny_bundle

PREVIEW, APPLY = "/api/competition-files/preview", "/api/competition-files/apply"
CUP = """\
lethe: 1
slug: cup
title: The cup
visibility: public
description: |
  Forget **digits**.

  And nothing else.
rules: Be honest.
pages:
  - slug: data
    title: The data
    body: Digits.
phases:
  - slug: feedback
    title: Practice
    kind: feedback
    benchmark: tiny
    opens_at: 2026-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 8
    quota_per_day: 5
"""


@pytest.fixture
def benchmark(api: Api) -> BenchmarkRow:
    with api.database.write() as session:
        return add_benchmark(session)


def register(who: Caller) -> None:
    """Register for the competition and accept its rules."""
    path = "/api/competitions/cup/registration"
    rules = who.get(path).json()["rules_version"]
    assert who.post(path, json={"rules_version": rules}).status_code == 200


def preview(who: Caller, text: str) -> httpx2.Response:
    return who.post(PREVIEW, json={"text": text})


def apply(who: Caller, text: str, *, confirm: bool = False, based_on: str | None = None) -> httpx2.Response:
    token = based_on or preview(who, text).json().get("token")
    return who.post(APPLY, json={"text": text, "based_on": token, "confirm": confirm})


def applied(who: Caller, text: str, **options: Any) -> dict[str, Any]:
    answer = apply(who, text, **options)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def paths(changes: list[dict[str, Any]]) -> list[str]:
    return [change["path"] for change in changes]


def mistakes(who: Caller, text: str) -> list[tuple[int, str]]:
    answer = preview(who, text)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_competition_file"), answer.text
    assert all(one["problem"] and one["remedy"] for one in answer.json()["errors"])
    return [(one["line"], one["path"]) for one in answer.json()["errors"]]


def test_a_file_makes_a_competition_with_all_that_it_says(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    planned = preview(organiser, CUP).json()
    assert (planned["exists"], planned["token"]) == (False, None)
    assert api.anonymous.get("/api/competitions/cup").status_code == 404

    made = applied(organiser, CUP)

    assert (made["created"], made["number"]) == (True, 1)
    assert paths(made["changes"]) == paths(planned["changes"])
    shown = api.anonymous.get("/api/competitions/cup").json()
    assert (shown["title"], shown["owner"], shown["visibility"]) == ("The cup", "organiser", "public")
    assert shown["description"] == "Forget **digits**.\n\nAnd nothing else.\n"
    [phase] = shown["phases"]
    assert (phase["title"], phase["seeds"], phase["data_hidden"], phase["environment"]) == (
        "Practice",
        8,
        True,
        "current",
    )
    pages = api.anonymous.get("/api/competitions/cup/pages").json()["items"]
    assert [(page["slug"], page["body"]) for page in pages] == [("rules", "Be honest."), ("data", "Digits.")]


def test_a_changed_file_changes_just_what_it_says_and_is_kept(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    first = applied(organiser, CUP)
    text = CUP.replace("And nothing else.", "Nothing else.").replace("quota_per_day: 5", "quota_per_day: 9")

    second = applied(organiser, text)

    assert paths(second["changes"]) == ["description", "phases.feedback.quota_per_day"]
    description, quota = second["changes"]
    assert description["lines"][-2:] == ["-And nothing else.", "+Nothing else."]
    assert (quota["before"], quota["after"], quota["needs_confirmation"]) == (5, 9, False)
    assert (second["number"], second["announcement_id"]) == (2, None)
    versions = organiser.get("/api/competitions/cup/file/versions").json()["items"]
    assert [(one["number"], one["by"]) for one in versions] == [(2, "organiser"), (1, "organiser")]
    assert organiser.get("/api/competitions/cup/file/versions/1").json()["text"] == CUP
    assert organiser.get("/api/competitions/cup/file/versions/3").status_code == 404
    acts = organiser.get("/api/competitions/cup/audit").json()["items"]
    assert [act["act"] for act in acts] == ["file_applied", "file_applied", "competition_created"]
    assert acts[0]["details"]["version"] == 2
    assert first["token"] != second["token"] == preview(organiser, text).json()["token"]


def test_the_export_of_any_competition_changes_nothing(api: Api, organiser: Caller, phase: Phase) -> None:
    """Also of one that was made without a file, and after it was changed without one."""
    organiser.request("PATCH", "/api/competitions/cup/phases/feedback", json={"quota_per_day": 7})
    exported = organiser.get("/api/competitions/cup/file").json()

    assert preview(organiser, exported["text"]).json()["changes"] == []
    again = applied(organiser, exported["text"], based_on=exported["token"])

    assert (again["number"], again["token"]) == (None, exported["token"])
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CompetitionVersion)) == 0


def test_every_mistake_is_told_at_once_with_its_line_and_a_remedy(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    with api.database.write() as session:
        unfit = {"oracle_seeds": 512, "fitness": {"problems": ["It forgets nothing. Build another."]}}
        session.add(BenchmarkRow(name="unfit", digest="e" * 64, manifest=unfit, manifest_blob="0" * 64))
    text = """\
lethe: 1
slug: cup
titel: The cup
title: The cup
weight: 3
phases:
  - slug: one
    kind: final
    benchmark: none
    opens_at: 2098-01-01T00:00:00Z
    closes_at: 2097-01-01T00:00:00Z
    seed: 8
  - slug: one
    kind: last
    benchmark: tiny
    opens_at: 2098-01-01
    closes_at: 2099-01-01T00:00:00Z
    seeds: 513
  - slug: two
    kind: final
    benchmark: unfit
    metric: none
    environment: other
    opens_at: 2025-01-01T00:00:00Z
    closes_at: 2026-01-01T00:00:00Z
"""
    assert mistakes(organiser, text) == [
        (3, "titel"),
        (5, "weight"),
        (9, "phases.one.benchmark"),
        (11, "phases.one.closes_at"),
        (12, "phases.one.seed"),
        (13, "phases.one.slug"),
        (14, "phases.one.kind"),
        (16, "phases.one.opens_at"),
        (18, "phases.one.seeds"),
        (21, "phases.two.benchmark"),
        (22, "phases.two.metric"),
        (23, "phases.two.environment"),
        (25, "phases.two.closes_at"),
    ]
    said = {one["path"]: one["remedy"] for one in preview(organiser, text).json()["errors"]}
    assert said["titel"] == "Did you mean `title`?"
    assert said["phases.one.seed"] == "Did you mean `seeds`?"
    assert "2027-01-31T12:00:00Z" in said["phases.one.opens_at"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("- a\n- b\n", 1),
        ("lethe: 1\nslug: [\n", 3),
        ("lethe: 1\nslug: a: b\n", 2),
        ("lethe: 1\nlethe: 1\nslug: cup\ntitle: Cup\n", 2),
        ("lethe: 2\nslug: cup\ntitle: Cup\n", 1),
        ("lethe: 1\nslug: cup\ntitle: 2023\n", 3),
        ("lethe: 1\nslug: cup\ntitle: &a Cup\nrules: *a\n", 3),
        ("lethe: 1\nslug: cup\ntitle: !!python/name:os.system x\n", 3),
        ("lethe: 1\nslug: cup\ntitle: Cup\n---\nlethe: 1\n", 4),
        ("lethe: 1\nslug: cup\ntitle: Cup\nphases: none\n", 4),
        ("lethe: 1\nslug: cup\ntitle: Cup\nphases: [one]\n", 4),
        ("lethe: 1\nslug: cup\ntitle: Cup\nvisibility: deleted\n", 4),
        ("lethe: 1\nslug: cup\ntitle: Cup\norganisers: [nobody-here]\n", 4),
        ("lethe: 1\nslug: cup\ntitle: Cup\npages:\n  - {slug: rules, title: R, body: x}\n", 5),
        ("lethe: 1\nslug: cup\ntitle: Cup\n? [a]\n: b\n", 4),
        ('lethe: 1\nslug: cup\ntitle: "a\\u202eb"\n', 3),
        ('lethe: 1\nslug: cup\ntitle: Cup\nrules: "a\\eb"\n', 4),
        ("lethe: 1\nslug: " + "[" * 100_000, 2),
        ("lethe: 1\nslug: cup\ntitle: Cup\nrules: [" + "a, " * 30_000 + "]", 4),
        ("x" * (256 * 1024 + 1), 1),
    ],
    ids=lambda value: value[:40].replace("\n", " ") if isinstance(value, str) else str(value),
)
def test_a_file_that_is_none_is_refused_with_the_line(organiser: Caller, text: str, line: int) -> None:
    assert mistakes(organiser, text)[0][0] == line


def test_a_billion_laughs_cost_nothing(organiser: Caller) -> None:
    laughs = "lethe: 1\na: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert (2, "") in mistakes(organiser, laughs)


def test_the_second_of_two_organisers_is_told_and_nothing_of_theirs_is_applied(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    applied(organiser, CUP)
    operator = api.caller("root", Role.OPERATOR)
    texts = [CUP.replace("The cup", f"Cup {number}") for number in range(2)]
    token = preview(organiser, CUP).json()["token"]

    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda one: apply(one[0], one[1], based_on=token), zip((organiser, operator), texts, strict=True))
        )

    assert sorted(answer.status_code for answer in both) == [200, 409]
    lost = next(number for number, answer in enumerate(both) if answer.status_code == 409)
    assert both[lost].json()["code"] == "competition_changed"
    assert api.anonymous.get("/api/competitions/cup").json()["title"] == f"Cup {1 - lost}"
    assert len(organiser.get("/api/competitions/cup/file/versions").json()["items"]) == 2


def test_two_who_create_the_same_competition_do_not_both(api: Api, benchmark: BenchmarkRow) -> None:
    callers = [api.caller(f"org{number}", Role.ORGANISER) for number in range(2)]

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda who: who.post(APPLY, json={"text": CUP}), callers))

    assert sorted(answer.status_code for answer in both)[0] == 200
    assert {answer.json().get("code") for answer in both} <= {None, "slug_taken", "not_organiser"}
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Competition)) == 1


def test_a_change_without_the_file_is_noticed_too(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    applied(organiser, CUP)
    token = preview(organiser, CUP).json()["token"]
    organiser.request("PATCH", "/api/competitions/cup/phases/feedback", json={"quota_per_day": 8})

    assert apply(organiser, CUP, based_on=token).json()["code"] == "competition_changed"
    assert apply(organiser, CUP, based_on="0" * 32).json()["code"] == "competition_changed"
    assert organiser.post(APPLY, json={"text": CUP}).json()["code"] == "competition_changed"


BROKEN = [
    ("seeds: 8", "seeds: 7"),
    ("quota_per_day: 5", "quota_per_day: 4"),
    ("quota_per_day: 5", "quota_per_day: 5\n    quota_total: 100"),
    ("closes_at: 2099", "closes_at: 2098"),
    ("quota_per_day: 5", "quota_per_day: 5\n    metric: lethe-1"),
    ("quota_per_day: 5", "quota_per_day: 5\n    seed_timeout_s: 30"),
    ("quota_per_day: 5", "quota_per_day: 5\n    max_time_ratio: 0.1"),
    ("quota_per_day: 5", "quota_per_day: 5\n    data_hidden: false"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN, ids=[new for _, new in BROKEN])
def test_what_participants_rely_on_changes_only_when_confirmed_and_is_announced(
    api: Api, organiser: Caller, benchmark: BenchmarkRow, old: str, new: str
) -> None:
    applied(organiser, CUP)
    text = CUP.replace(old, new)

    [change] = preview(organiser, text).json()["changes"]
    refused = apply(organiser, text)

    assert change["needs_confirmation"]
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert refused.json()["paths"] == [change["path"]]
    assert preview(organiser, text).json()["changes"] == [change]

    done = applied(organiser, text, confirm=True)

    [post] = api.anonymous.get("/api/competitions/cup/announcements").json()["items"]
    assert done["announcement_id"] == post["id"]
    assert change["path"].removeprefix("phases.") in post["body"]
    assert " before, " in post["body"] and post["body"].endswith(" now")
    acts = organiser.get("/api/competitions/cup/audit").json()["items"]
    assert [act["act"] for act in acts[:2]] == ["announced", "file_applied"]
    assert acts[1]["details"]["confirmed"] == [change["path"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("quota_per_day: 5", "quota_per_day: 6"),
        ("closes_at: 2099", "closes_at: 2100"),
        ("title: Practice", "title: Warm-up"),
        ("rules: Be honest.", "rules: Be very honest."),
    ],
)
def test_what_gives_participants_more_needs_no_confirmation(
    organiser: Caller, benchmark: BenchmarkRow, old: str, new: str
) -> None:
    applied(organiser, CUP)
    assert applied(organiser, CUP.replace(old, new))["announcement_id"] is None


def test_nobody_relies_on_a_draft_or_on_a_phase_that_has_not_opened(organiser: Caller, benchmark: BenchmarkRow) -> None:
    for changed in (("visibility: public", "visibility: draft"), ("2026-01-01", "2098-01-01")):
        text = CUP.replace(*changed).replace("slug: cup", f"slug: cup{len(changed[0])}")
        applied(organiser, text)
        assert applied(organiser, text.replace("seeds: 8", "seeds: 4"))["announcement_id"] is None


def test_what_a_board_is_made_of_is_fixed_once_something_was_submitted(
    api: Api, organiser: Caller, participant: Caller, benchmark: BenchmarkRow
) -> None:
    with api.database.write() as session:
        add_benchmark(session, "other", "e" * 64)
    applied(organiser, CUP)
    assert organiser.submit(numbered(1), reference="identity").status_code == 201
    changed = CUP.replace("seeds: 8", "seeds: 4").replace("benchmark: tiny", "benchmark: other")
    changed = changed.replace("kind: feedback", "kind: final") + "    metric: lethe-1\n    max_time_ratio: 0.5\n"
    changed += "    entered_by: upload\n"

    assert [path for _, path in mistakes(organiser, changed)] == [
        "phases.feedback.kind",
        "phases.feedback.benchmark",
        "phases.feedback.seeds",
        "phases.feedback.metric",
    ]
    register(participant)
    participant.submit(numbered(2))
    assert "phases.feedback.max_time_ratio" in [path for _, path in mistakes(organiser, changed)]
    without = CUP[: CUP.index("phases:")]
    assert [path for _, path in mistakes(organiser, without)] == ["phases"]
    assert [path for _, path in mistakes(organiser, CUP.replace("public", "draft"))] == ["visibility"]


FINAL = """\
  - slug: final
    kind: final
    benchmark: tiny
    further_benchmarks: [other]
    opens_at: 2098-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 8
    selects: 2
    draws_from: [feedback]
"""


def test_a_sealed_final_on_two_benchmarks_is_one_phase_of_the_file(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    with api.database.write() as session:
        add_benchmark(session, "other", "e" * 64)
    applied(organiser, CUP + FINAL)
    shown = api.anonymous.get("/api/competitions/cup/phases/final/final").json()
    assert (shown["selects"], shown["draws_from"]) == (2, ["feedback"])
    assert [one["phase"] for one in shown["phases"]] == ["final", "final-2"]
    text = organiser.get("/api/competitions/cup/file").json()["text"]
    assert "final-2" not in text
    assert preview(organiser, text).json()["changes"] == []

    later = FINAL.replace("selects: 2", "selects: 3").replace("2099-01", "2099-02")
    applied(organiser, CUP + later)
    assert api.anonymous.get("/api/competitions/cup/phases/final/final").json()["selects"] == 3
    phases = {one["slug"]: one for one in api.anonymous.get("/api/competitions/cup").json()["phases"]}
    assert {phases[slug]["closes_at"] for slug in ("final", "final-2")} == {"2099-02-01T00:00:00Z"}

    for old, new, field in (
        ("further_benchmarks: [other]", "further_benchmarks: []", "further_benchmarks"),
        ("draws_from: [feedback]", "draws_from: [nothing]", "draws_from"),
        ("further_benchmarks: [other]", "further_benchmarks: [unknown]", "further_benchmarks"),
    ):
        assert old in later
        wrong = CUP + later.replace(old, new)
        assert {path for _, path in mistakes(organiser, wrong)} == {f"phases.final.{field}"}, new

    applied(organiser, CUP)
    assert [one["slug"] for one in api.anonymous.get("/api/competitions/cup").json()["phases"]] == ["feedback"]
    applied(organiser, CUP + FINAL)
    assert organiser.request("DELETE", "/api/competitions/cup").status_code == 204


def test_a_phase_nobody_used_is_taken_away_with_confirmation_once_it_is_open(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    applied(organiser, CUP)
    without = CUP[: CUP.index("phases:")]

    assert apply(organiser, without).json()["code"] == "confirmation_needed"
    assert applied(organiser, without, confirm=True)["changes"][-1]["kind"] == "removed"
    assert api.anonymous.get("/api/competitions/cup").json()["phases"] == []


def test_a_name_keeps_the_benchmark_that_a_phase_has(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    applied(organiser, CUP)
    with api.database.write() as session:
        add_benchmark(session, digest="e" * 64)

    assert preview(organiser, CUP).json()["changes"] == []
    [change] = preview(organiser, CUP.replace("tiny", "e" * 64)).json()["changes"]
    assert (change["before"], change["after"]) == ("d" * 64, "e" * 64)


def test_only_who_organises_it_applies_a_file(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    applied(organiser, CUP)
    other, operator = api.caller("other", Role.ORGANISER), api.caller("root", Role.OPERATOR)

    assert preview(other, CUP).json()["code"] == "not_organiser"
    assert api.caller("ada").post(PREVIEW, json={"text": CUP}).status_code == 403
    for path in ("file", "file/versions", "file/versions/1"):
        assert other.get(f"/api/competitions/cup/{path}").json()["code"] == "not_organiser"
    assert [path for _, path in mistakes(organiser, CUP + "weight: 2\n")] == ["weight"]
    assert applied(operator, CUP + "weight: 2\n")["number"] == 2
    assert preview(organiser, CUP).json()["changes"] == []
    assert api.anonymous.get("/api/competitions/cup").json()["owner"] == "organiser"


def test_the_name_of_anothers_draft_is_only_taken(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    applied(organiser, CUP.replace("public", "draft"))
    assert preview(api.caller("other", Role.ORGANISER), CUP).json()["code"] == "slug_taken"


def test_nothing_is_half_applied(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    """The last step of applying fails, after everything is written."""
    applied(organiser, CUP)
    text = CUP.replace("The cup", "Another").replace("seeds: 8", "seeds: 4").replace("Digits.", "Letters.")
    before = organiser.get("/api/competitions/cup/file").json()

    assert apply(organiser, text).json()["code"] == "confirmation_needed"

    assert organiser.get("/api/competitions/cup/file").json() == before
    with api.database.read() as session:
        events = session.scalars(select(AuditEvent.act)).all()
    assert events.count(Act.FILE_APPLIED) == 1


def test_an_archived_competition_can_be_read_and_not_changed_until_it_is_reopened(
    api: Api, organiser: Caller, participant: Caller, benchmark: BenchmarkRow
) -> None:
    applied(organiser, CUP)
    register(participant)
    mine = participant.submit(numbered(1)).json()["id"]
    archived = CUP.replace("visibility: public", "visibility: archived")
    applied(organiser, archived)

    assert api.anonymous.get("/api/competitions/cup/phases/feedback/leaderboard").status_code == 200
    root = api.caller("root", Role.OPERATOR)
    phase = "/api/competitions/cup/phases/feedback"
    refused = [
        participant.submit(numbered(2)),
        organiser.submit(numbered(2), reference="identity"),
        participant.post(f"/api/submissions/{mine}/withdraw"),
        organiser.request("PATCH", phase, json={"quota_per_day": 9}),
        organiser.post("/api/competitions/cup/phases", json=NEW_PHASE),
        organiser.post("/api/competitions/cup/announcements", json={"title": "a", "body": "b"}),
        organiser.post("/api/competitions/cup/disqualifications", json={"submission_id": mine, "reason": "b"}),
        organiser.post(f"{phase}/campaigns", json={"metric": "lethe-1"}),
        root.request("PATCH", "/api/competitions/cup", json={"weight": 2}),
        participant.post("/api/competitions/cup/registration", json={}),
        organiser.post("/api/competitions/cup/invitations", json={"name": "A class"}),
        preview(organiser, archived.replace("The cup", "Other")),
    ]
    assert [answer.json()["code"] for answer in refused] == ["competition_archived"] * len(refused)

    assert applied(organiser, CUP.replace("The cup", "Other"))["number"] == 3
    assert participant.submit(numbered(2)).status_code == 201


NEW_PHASE = {"slug": "x", "kind": "check", "benchmark": "tiny", "closes_at": "2099-01-01T00:00:00Z"}


def test_a_competition_is_deleted_while_nobody_has_submitted(
    api: Api, organiser: Caller, participant: Caller, benchmark: BenchmarkRow
) -> None:
    applied(organiser, CUP)
    assert api.caller("other", Role.ORGANISER).request("DELETE", "/api/competitions/cup").status_code == 403
    assert organiser.request("DELETE", "/api/competitions/cup").status_code == 204
    assert organiser.get("/api/competitions/cup").status_code == 404
    assert api.caller("root", Role.OPERATOR).get("/api/competitions").json()["items"] == []

    applied(organiser, CUP)
    register(participant)
    participant.submit(numbered(1))
    kept = organiser.request("DELETE", "/api/competitions/cup")
    assert (kept.status_code, kept.json()["code"]) == (409, "competition_not_empty")


SPACES = st.sampled_from([" ", "\n", "\n\n", "\t", "  ", "\n  "])
YAML = st.sampled_from(
    ["a", "# b", "- c", "d: e", "'", '"', "é", "😀", "|", "null", "1", "\\n", "{x}", "%", "~", "..."]
)
TEXTS = st.lists(st.one_of(YAML, SPACES, st.characters(exclude_categories=("C", "Zl", "Zp"))), max_size=12)
MARKDOWN = TEXTS.map("".join).filter(lambda text: _holds(presentable, text))
LABELS = TEXTS.map(lambda parts: visible("".join(parts))).filter(bool).map(lambda text: text[:200].strip()).filter(bool)
SLUGS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


def _holds(check: Callable[[str], str], text: str) -> bool:
    try:
        return check(text) == text
    except ValueError:
        return False


MOMENTS = st.timedeltas(timedelta(0), timedelta(36_500)).map(lambda after: datetime(2000, 1, 1, tzinfo=UTC) + after)


@st.composite
def phases(draw: st.DrawFn) -> PhaseSection:
    opens = draw(MOMENTS)
    return PhaseSection(
        slug=draw(SLUGS),
        title=draw(st.none() | LABELS),
        kind=draw(st.sampled_from(PhaseKind)),
        benchmark=draw(st.sampled_from(["tiny", "d" * 64, "e1", "1e5", "0x1"])),
        opens_at=opens,
        closes_at=opens + draw(st.timedeltas(timedelta(microseconds=1), timedelta(900))),
        seeds=draw(st.integers(1, 10_000)),
        quota_total=draw(st.none() | st.integers(0, 100)),
        seed_timeout_s=draw(st.floats(1e-9, 86_400)),
        max_time_ratio=draw(st.floats(1e-300, 1000, exclude_min=True)),
        data_hidden=draw(st.none() | st.booleans()),
        notebooks=draw(st.booleans()),
        robustness=draw(st.booleans()),
        placebo_audit=draw(st.booleans()),
        columns=draw(st.lists(st.sampled_from(["ssd.zrf", "ssd.mia", "starting-kit.mia_accuracy"]), unique=True)),
    )


@st.composite
def files(draw: st.DrawFn) -> CompetitionFile:
    pages = st.builds(
        PageSection, slug=SLUGS.filter(lambda slug: slug not in ("rules", "prizes")), title=LABELS, body=MARKDOWN
    )
    return CompetitionFile(
        lethe=1,
        slug=draw(SLUGS),
        title=draw(LABELS),
        visibility=draw(st.sampled_from([one for one in Visibility if one is not Visibility.DELETED])),
        description=draw(MARKDOWN),
        rules=draw(MARKDOWN),
        contact=draw(st.just("") | LABELS),
        teams=TeamsSection(size=draw(st.integers(1, 100)), merge_until=draw(st.none() | MOMENTS)),
        weight=draw(st.none() | st.integers(1, 100)),
        registration=draw(st.none() | st.sampled_from(RegistrationMode)),
        pages=draw(st.lists(pages, max_size=3, unique_by=lambda page: page.slug)),
        phases=draw(st.lists(phases(), max_size=3, unique_by=lambda phase: phase.slug)),
    )


def test_what_it_says_of_teams_is_applied_and_shrinks_in_an_open_phase_only_if_confirmed(
    organiser: Caller, benchmark: BenchmarkRow
) -> None:
    until = "2098-01-01T00:00:00Z"
    teams = f"teams:\n  size: 3\n  merge_until: {until}\n"
    assert applied(organiser, CUP + teams)["created"]
    assert organiser.get("/api/competitions/cup").json()["teams"] == {"size": 3, "merge_until": until}
    assert teams in organiser.get("/api/competitions/cup/file").json()["text"]
    found = preview(organiser, CUP + "teams:\n  size: 2\n").json()
    assert [(one["path"], one["needs_confirmation"]) for one in found["changes"]] == [
        ("teams.size", True),
        ("teams.merge_until", True),
    ]
    assert not preview(organiser, CUP + teams.replace("3", "4")).json()["needs_confirmation"]
    wrong = CUP + "teams:\n  size: 0\n  seize: 3\n  merge_until: 2098-01-01\n"
    assert [path for _, path in mistakes(organiser, wrong)] == ["teams.size", "teams.seize", "teams.merge_until"]


@given(files())
@settings(max_examples=200, deadline=None)
def test_a_file_that_was_written_reads_as_the_same(file: CompetitionFile) -> None:
    reading = read_file(write_file(file))
    assert reading.mistakes == []
    assert reading.whole() == file


@given(text=MARKDOWN, title=LABELS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_was_applied_is_exported_and_applied_again_without_a_change(
    api: Api, organiser: Caller, benchmark: BenchmarkRow, text: str, title: str
) -> None:
    reading = read_file(CUP)
    file = reading.whole().model_copy(update={"description": text, "title": title, "rules": text})
    applied(organiser, write_file(file))

    exported = organiser.get("/api/competitions/cup/file").json()["text"]

    assert read_file(exported).whole().description == text
    assert preview(organiser, exported).json()["changes"] == []


@settings(deadline=None)
@given(st.text(max_size=60) | TEXTS.map("".join) | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    for whole in (text, "lethe: 1\nslug: cup\n" + text, CUP + text, CUP.replace("Be honest.", text)):
        assert all(mistake.line >= 1 and mistake.remedy for mistake in read_file(whole).mistakes)


def test_every_field_of_a_phase_is_of_a_row_and_of_the_file(api: Api, phase: Phase) -> None:
    with api.database.read() as session:
        row = session.get_one(Phase, phase.id)
        file = stored_file(session, row.competition)
    (section,) = file.phases
    columns = set(inspect(Phase).column_attrs.keys())
    platform = {"id", "competition_id", "benchmark_id", "board_moved_at", "references_at", "created_at"}
    assert set(PhaseSection.model_fields) == columns - platform | {"benchmark"} | OF_FINALS
    assert set(file.__dict__) == set(CompetitionFile.model_fields)
    assert section.benchmark == "d" * 64
    assert set(FileHead.model_fields) < set(CompetitionFile.model_fields)


def test_a_phase_that_was_rescored_is_kept(api: Api, organiser: Caller, phase: Phase) -> None:
    assert organiser.account is not None
    with api.database.write() as session:
        session.add(
            Campaign(
                phase_id=phase.id,
                metric="lethe-1",
                metric_before="neurips-2023",
                re_run=False,
                state=CampaignState.CANCELLED,
                account_id=organiser.account.id,
                created_at=utc_now(),
            )
        )
    text = organiser.get("/api/competitions/cup/file").json()["text"]
    assert [path for _, path in mistakes(organiser, text[: text.index("phases:")])] == ["phases"]


def test_switching_the_robustness_stage_needs_anchors_and_in_an_open_phase_confirmation(
    api: Api, organiser: Caller, benchmark: BenchmarkRow, tmp_path: Path
) -> None:
    switched = CUP + "    robustness: true\n"
    manifest = make_tiny_bundle(tmp_path / "bundle", robustness=True).manifest.model_dump(mode="json")

    def build(robustness: dict[str, Any] | None) -> None:
        with api.database.write() as session:
            session.get_one(BenchmarkRow, benchmark.id).manifest = manifest | {"robustness": robustness}

    build(None)
    assert mistakes(organiser, switched) == [(23, "phases.feedback.robustness")]
    build(manifest["robustness"])
    applied(organiser, CUP)

    refused = apply(organiser, switched)
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert paths(applied(organiser, switched, confirm=True)["changes"]) == ["phases.feedback.robustness"]
    assert api.anonymous.get("/api/competitions/cup").json()["phases"][0]["robustness"] is True


def test_switching_the_placebo_audit_needs_placebos_and_in_an_open_phase_confirmation(
    api: Api, organiser: Caller, benchmark: BenchmarkRow, tmp_path: Path
) -> None:
    switched = CUP + "    placebo_audit: true\n"
    manifest = make_tiny_bundle(tmp_path / "bundle", placebos=4).manifest.model_dump(mode="json")

    def build(placebos: int) -> None:
        with api.database.write() as session:
            session.get_one(BenchmarkRow, benchmark.id).manifest = manifest | {"placebos": placebos}

    build(3)
    assert mistakes(organiser, switched) == [(23, "phases.feedback.placebo_audit")]
    build(4)
    applied(organiser, CUP)

    refused = apply(organiser, switched)
    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_needed")
    assert paths(applied(organiser, switched, confirm=True)["changes"]) == ["phases.feedback.placebo_audit"]
    assert api.anonymous.get("/api/competitions/cup").json()["phases"][0]["placebo_audit"] is True


def test_a_phase_chooses_the_columns_of_its_board(api: Api, organiser: Caller, benchmark: BenchmarkRow) -> None:
    """They rank nothing, so changing them needs no confirmation; a name that no suite has is told with its line."""
    wrong = CUP + "    columns:\n      - ssd.zrf\n      - ssd.zzz\n"
    [mistake] = preview(organiser, wrong).json()["errors"]
    assert (mistake["line"], mistake["path"]) == (25, "phases.feedback.columns.1")
    assert "no column 'ssd.zzz'" in mistake["problem"] + mistake["remedy"]
    assert len(mistakes(organiser, CUP + "    columns: [ssd.zrf, ssd.zrf]\n")) == 1
    applied(organiser, CUP)
    shown = api.anonymous.get("/api/competitions/cup").json()["phases"][0]
    assert shown["columns"] == []

    changed = applied(organiser, CUP + "    columns: [starting-kit.mia_accuracy, ssd.zrf]\n")["changes"]

    assert paths(changed) == ["phases.feedback.columns"]
    shown = api.anonymous.get("/api/competitions/cup/phases").json()["items"][0]
    assert shown["columns"] == ["starting-kit.mia_accuracy", "ssd.zrf"]
    turned = applied(organiser, CUP + "    columns: [ssd.zrf, starting-kit.mia_accuracy]\n")["changes"]
    assert paths(turned) == ["phases.feedback.columns"]
    text = organiser.get("/api/competitions/cup/file").json()["text"]
    assert applied(organiser, text)["changes"] == []
    assert paths(applied(organiser, CUP)["changes"]) == ["phases.feedback.columns"]


def test_a_file_says_how_people_register_and_without_a_word_it_stays(
    api: Api, organiser: Caller, benchmark: BenchmarkRow
) -> None:
    applied(organiser, CUP)
    assert "registration: open\n" in organiser.get("/api/competitions/cup/file").json()["text"]

    changed = applied(organiser, CUP + "registration: approval\n")

    assert paths(changed["changes"]) == ["registration"]
    shown = api.anonymous.get("/api/competitions/cup").json()
    assert shown["registration"] == "approval"
    assert applied(organiser, CUP)["changes"] == []
    exported = organiser.get("/api/competitions/cup/file").json()["text"]
    assert "registration: approval\n" in exported
    assert applied(organiser, exported)["changes"] == []
    assert mistakes(organiser, CUP + "registration: closed\n") == [(23, "registration")]
