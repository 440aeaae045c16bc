"""An unfit benchmark is used only if somebody gives a reason, which stays in its manifest and on record."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from services.core.bundle import store
from services.core.bundle.acceptance import AlreadyAccepted, accept_unfit
from services.core.bundle.archive import export_bundle, import_bundle
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import UnfitBenchmark
from services.core.errors import BadInput
from services.core.models import Act, AuditEvent
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from tests.bundles import make_tiny_bundle, make_unfit_bundle

REASON = "The evaluation of 2023 had the same ratio."


def test_a_reason_makes_another_benchmark_of_the_same_files(tmp_path: Path) -> None:
    bundle = make_unfit_bundle(tmp_path / "tiny")
    with pytest.raises(UnfitBenchmark, match="--accept-unfit"):
        bundle.require_fit()
    accepted = accept_unfit(bundle, f"  {REASON}\n")
    accepted.require_fit()
    accepted.verify()
    assert accepted.manifest.accepted_unfit == REASON
    assert accepted.manifest.fitness == bundle.manifest.fitness
    assert accepted.manifest.files == bundle.manifest.files
    assert accepted.manifest.digest != bundle.manifest.digest
    assert Bundle(accepted.root).manifest.digest == accepted.manifest.digest


def test_the_same_reason_again_changes_nothing_and_another_is_refused(tmp_path: Path) -> None:
    accepted = accept_unfit(make_unfit_bundle(tmp_path / "tiny"), REASON)
    assert accept_unfit(accepted, REASON).manifest.digest == accepted.manifest.digest
    with pytest.raises(AlreadyAccepted, match="2023"):
        accept_unfit(accepted, "Because I like it.")


def test_a_fit_benchmark_needs_no_reason(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is fit"):
        accept_unfit(make_tiny_bundle(tmp_path / "tiny"), REASON)


@pytest.mark.parametrize("reason", ["", " \n\t", "x" * 501])
def test_a_reason_says_something_and_not_a_book(tmp_path: Path, reason: str) -> None:
    bundle = make_unfit_bundle(tmp_path / "tiny")
    with pytest.raises(BadInput, match="reason of 1 to 500"):
        accept_unfit(bundle, reason)
    assert Bundle(bundle.root).manifest.digest == bundle.manifest.digest


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=600))
def test_any_text_is_refused_or_kept_on_one_line_that_a_page_can_show(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    bundle = make_unfit_bundle(tmp_path_factory.mktemp("any") / "tiny")
    try:
        kept = accept_unfit(bundle, text).manifest.accepted_unfit
    except BadInput:
        bundle = Bundle(bundle.root)
        assert bundle.manifest.accepted_unfit is None
    else:
        assert kept is not None
        assert kept == " ".join(kept.split())
        assert not {"\n", "\x1b", "\u202e", "\0"} & set(kept)


def test_the_reason_is_in_every_copy_and_on_record_when_it_is_published(database: Database, tmp_path: Path) -> None:
    accepted = accept_unfit(make_unfit_bundle(tmp_path / "tiny"), REASON)
    export_bundle(accepted, tmp_path / "tiny.tar")
    carried = import_bundle(tmp_path / "tiny.tar", tmp_path / "elsewhere", digest=accepted.manifest.digest)
    assert carried.manifest.accepted_unfit == REASON
    blobs = Blobs.in_directory(tmp_path / "blobs")
    for _ in range(2):  # published once, and only one act
        with database.write() as session:
            row = store.publish(session, blobs, carried)
            benchmark_id = row.id
    with database.read() as session:
        (act,) = session.scalars(select(AuditEvent)).all()
    assert (act.act, act.subject_id) == (Act.BENCHMARK_PUBLISHED, benchmark_id)
    assert act.details == {"benchmark": "tiny", "digest": carried.manifest.digest, "accepted_unfit": REASON}
