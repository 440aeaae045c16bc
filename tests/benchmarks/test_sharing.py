"""Benchmarks that travel: shared work, archives, revealed secrets, packed checkpoints, and older manifests."""

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save_file

from services.benchmarks.build import BadSeeds, build_benchmark, train_part
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.order import Order
from services.benchmarks.revealing import WrongSecret, check_reveal
from services.core.bundle import readings
from services.core.bundle.archive import PlaceTaken, export_bundle, import_bundle
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle, Manifest
from services.core.errors import BadInput
from services.scorer.scoring import forgetting_quality_of
from tests.bundles import make_tiny_bundle
from tests.definitions import placebo_of, recipe_of

SECRET = b"s" * 32
DIGITS = DEFINITIONS["digits"]
DATASET = DIGITS.read(None, cache=Path())
SHORT = replace(
    DIGITS,
    architecture="logistic",
    recipe=replace(recipe_of(DIGITS), epochs=1),
    placebo=replace(placebo_of(DIGITS), starts=1, models=16),
)


def order(**changes: Any) -> Order:
    plain = Order(
        definition=SHORT,
        dataset=DATASET,
        seeds=128,
        quality=forgetting_quality_of,
        secret=SECRET,
        drawn_for="final",
        min_placebo_ratio=0.0,
        keep_checkpoints=True,
    )
    return replace(plain, **changes)


# Shared work


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A benchmark that one machine built, its archive of checkpoints beside it."""
    return build_benchmark(order(), tmp_path_factory.mktemp("alone") / "digits")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What two other machines trained, half of the seeds each."""
    places = [tmp_path_factory.mktemp("parts") / name for name in ("a", "b")]
    for first, place in zip((0, 64), places, strict=True):
        train_part(order(), place, first, first + 64)
    return places


def first_reports(found: list[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Say of each stage how much was there when it began."""
    return {stage: (done, total) for stage, done, total in reversed(found)}


def test_parts_leave_models_and_nothing_else(parts: list[Path]) -> None:
    for part in parts:
        assert sorted(path.suffix for path in part.iterdir()) == [".models", ".models", ".safetensors", ".safetensors"]
        assert list(part.parent.glob("*.lock")) == []
        assert not part.with_name(f"{part.name}.building").exists()


def test_a_build_from_parts_trains_no_oracle_and_is_the_same(alone: Bundle, parts: list[Path], tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    bundle = build_benchmark(order(), tmp_path / "digits", parts=parts, progress=lambda *report: seen.append(report))
    assert bundle.manifest.digest == alone.manifest.digest
    assert first_reports(seen)["oracle"] == first_reports(seen)["second oracle"] == (128, 128)
    assert first_reports(seen)["placebo 1 of 1"] == (0, 16)


def test_damaged_or_foreign_parts_are_trained_again(alone: Bundle, parts: list[Path], tmp_path: Path) -> None:
    """A flipped length is found; what another recipe made has another name."""
    damaged, foreign = tmp_path / "damaged", tmp_path / "foreign"
    shutil.copytree(parts[0], damaged)
    for path in damaged.glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-8])
    other = replace(SHORT, recipe=replace(recipe_of(SHORT), learning_rate=0.2))
    train_part(order(definition=other), foreign, 64, 128)
    seen: list[tuple[str, int, int]] = []
    bundle = build_benchmark(
        order(), tmp_path / "digits", parts=[damaged, foreign], progress=lambda *report: seen.append(report)
    )
    assert first_reports(seen)["oracle"] == (0, 128)
    assert bundle.manifest.digest == alone.manifest.digest


@pytest.mark.parametrize(("first", "last"), [(1, 64), (63, 128), (64, 64), (128, 64), (-64, 64)])
def test_a_range_that_no_build_would_take_up_is_refused(tmp_path: Path, first: int, last: int) -> None:
    with pytest.raises(BadSeeds, match="multiple of 64"):
        train_part(order(), tmp_path / "part", first, last)
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_is_no_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere is not a directory"):
        build_benchmark(order(), tmp_path / "digits", parts=[tmp_path / "nowhere"])


# Checkpoints


def test_packed_checkpoints_are_those_that_were_measured(alone: Bundle) -> None:
    """In the order of the oracle's measurements, which name each by its content."""
    second = alone.measurements_of("second_oracle")
    assert second is not None
    sides = {"oracle": alone.oracle(), "second_oracle": second}
    with zipfile.ZipFile(alone.root.with_name("digits.checkpoints.zip")) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(
            f"{name}/{index:05}.safetensors" for name in sides for index in range(128)
        )
        for name, measured in sides.items():
            for index, row in enumerate(measured.checkpoint_sha256):
                state = load(archive.read(f"{name}/{index:05}.safetensors"))
                assert readings.checkpoint_sha256(state) == row.tobytes().hex()
        state = load(archive.read("oracle/00003.safetensors"))
    images = alone.arrays("public/forget.safetensors")["image"]
    logits = images @ state["head.weight"].T + state["head.bias"]
    np.testing.assert_allclose(alone.oracle().forget_logits[3], logits, rtol=1e-4, atol=1e-4)


# Commit and reveal


def test_the_right_secret_is_accepted_and_counts_all_examples(alone: Bundle, tmp_path: Path) -> None:
    assert check_reveal(alone, SECRET, data=None, cache=tmp_path) == 1797


def test_another_secret_is_refused(alone: Bundle, tmp_path: Path) -> None:
    with pytest.raises(WrongSecret, match="committed to another"):
        check_reveal(alone, b"t" * 32, data=None, cache=tmp_path)


@pytest.mark.parametrize("part", ["public/retain", "public/forget", "public/validation", "hidden/test"])
def test_a_split_that_was_chosen_after_the_fact_is_found(alone: Bundle, tmp_path: Path, part: str) -> None:
    """One label or one image more is enough, though the bundle's own hashes be right."""
    for change in ("label", "image"):
        forged = tmp_path / change
        shutil.copytree(alone.root, forged)
        arrays = alone.arrays(f"{part}.safetensors")
        arrays[change][-1] = (arrays[change][-1] + 1) % 10
        save_file(arrays, forged / f"{part}.safetensors")
        with pytest.raises(WrongSecret, match=f"The {part.split('/')[1]} set"):
            check_reveal(Bundle(forged), SECRET, data=None, cache=tmp_path)


def with_manifest(bundle: Bundle, target: Path, **changes: Any) -> Bundle:
    """Copy a bundle and say something else in its manifest."""
    shutil.copytree(bundle.root, target)
    (target / "manifest.json").write_text(json.dumps(bundle.manifest.model_dump(mode="json") | changes))
    return Bundle(target)


def test_a_label_that_is_not_the_one_drawn_for_is_found(alone: Bundle, tmp_path: Path) -> None:
    origin = {"definition": "digits", "drawn_for": "public"}
    with pytest.raises(WrongSecret, match="The retain set"):
        check_reveal(with_manifest(alone, tmp_path / "a", origin=origin), SECRET, data=None, cache=tmp_path)
    with pytest.raises(WrongSecret, match="does not record its origin"):
        check_reveal(with_manifest(alone, tmp_path / "b", origin=None), SECRET, data=None, cache=tmp_path)


# Archives

Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("tiny") / "tiny", oracle_seeds=8)


@pytest.fixture(scope="module")
def archive(tiny: Bundle) -> Path:
    path = tiny.root.with_name("tiny.tar")
    export_bundle(tiny, path)
    return path


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_an_archive_comes_back_whole(tiny: Bundle, archive: Path, tmp_path: Path) -> None:
    bundle = import_bundle(archive, tmp_path / "back", digest=tiny.manifest.digest)
    bundle.verify()
    assert contents(bundle.root) == contents(tiny.root)
    export_bundle(bundle, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == archive.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.tar", "back"]


def test_taken_places_are_left_alone(tiny: Bundle, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(PlaceTaken, match="Delete it"):
        export_bundle(tiny, archive)
    (tmp_path / "mine").mkdir()
    with pytest.raises(PlaceTaken, match="--out"):
        import_bundle(archive, tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_damaged_bundle_is_not_exported(tiny: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny.root, tmp_path / "tiny")
    (tmp_path / "tiny/hidden/test.safetensors").write_bytes(b"")
    with pytest.raises(BadBundle, match="damaged"):
        export_bundle(Bundle(tmp_path / "tiny"), tmp_path / "tiny.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def members_of(archive: Path) -> list[Member]:
    with tarfile.open(archive) as packed:
        return [(member, packed.extractfile(member).read()) for member in packed.getmembers()]  # type: ignore[union-attr]


def new_member(name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = len(data), kind, link
    return member, data


def write_archive(path: Path, members: list[Member]) -> None:
    with tarfile.open(path, "w") as packed:
        for member, data in members:
            packed.addfile(member, io.BytesIO(data))


def named_in_manifest(members: list[Member], name: str) -> list[Member]:
    """Let the manifest itself name another file."""
    manifest = json.loads(members[0][1])
    manifest["files"][name] = {"sha256": hashlib.sha256(b"").hexdigest(), "size_bytes": 0}
    return [new_member("manifest.json", json.dumps(manifest).encode()), *members[1:], new_member(name)]


def flipped(members: list[Member]) -> list[Member]:
    member, data = members[3]
    return [*members[:3], (member, data[:-1] + bytes([data[-1] ^ 1])), *members[4:]]


HOSTILE: dict[str, tuple[Callable[[list[Member]], list[Member]], str]] = {
    "not in the manifest": (
        lambda m: [*m, new_member("public/extra.txt", b"x")],
        "public/extra.txt does not match the manifest",
    ),
    "above": (lambda m: [*m, new_member("../stolen.txt", b"x")], "stolen.txt does not match the manifest"),
    "absolute": (lambda m: [*m, new_member("/tmp/stolen.txt", b"x")], "stolen.txt does not match the manifest"),
    "above in the manifest": (lambda m: named_in_manifest(m, "public/../../stolen.txt"), "manifest is invalid"),
    "absolute in the manifest": (lambda m: named_in_manifest(m, "/tmp/stolen.txt"), "manifest is invalid"),
    "twice": (lambda m: [*m, m[2]], "does not match the manifest"),
    "longer": (lambda m: [*m[:2], new_member(m[2][0].name, m[2][1] + b"x"), *m[3:]], "does not match the manifest"),
    "shorter": (lambda m: [*m[:2], new_member(m[2][0].name, m[2][1][:-1]), *m[3:]], "does not match the manifest"),
    "flipped byte": (flipped, "is damaged"),
    "symbolic link": (
        lambda m: [*m[:2], new_member(m[2][0].name, kind=tarfile.SYMTYPE, link="/etc/passwd"), *m[3:]],
        "does not match the manifest",
    ),
    "hard link": (
        lambda m: [*m[:2], new_member(m[2][0].name, kind=tarfile.LNKTYPE, link=m[1][0].name), *m[3:]],
        "does not match the manifest",
    ),
    "directory": (lambda m: [*m, new_member("public", kind=tarfile.DIRTYPE)], "public does not match the manifest"),
    "device": (lambda m: [*m, new_member("hidden/null", kind=tarfile.CHRTYPE)], "does not match the manifest"),
    "missing": (lambda m: m[:-1], "is missing from the archive"),
    "manifest last": (lambda m: [*m[1:], m[0]], "does not begin with manifest.json"),
    "manifest a link": (
        lambda m: [new_member("manifest.json", kind=tarfile.SYMTYPE, link="/etc/passwd"), *m[1:]],
        "does not begin with manifest.json",
    ),
    "manifest too long": (
        lambda m: [new_member("manifest.json", m[0][1] + b" " * 4 * 1024**2), *m[1:]],
        "does not begin with manifest.json",
    ),
    "no manifest": (lambda m: [new_member("manifest.json", b"{}"), *m[1:]], "manifest is invalid"),
    "nothing": (lambda _: [], "does not begin with manifest.json"),
    "a manifest alone": (lambda m: m[:1], "is missing from the archive"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(archive: Path, tmp_path: Path, attack: str) -> None:
    change, says = HOSTILE[attack]
    place = tmp_path / "place"
    place.mkdir()
    write_archive(tmp_path / "hostile.tar", change(members_of(archive)))
    with pytest.raises(BadBundle, match=says):
        import_bundle(tmp_path / "hostile.tar", place / "bundle")
    assert list(place.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.tar", "place"]


def test_another_benchmark_than_the_one_asked_for_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="not 0000"):
        import_bundle(archive, tmp_path / "bundle", digest="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    data = archive.read_bytes()
    for number, wrong in enumerate((b"", b"no tar at all", data[:700], data[: len(data) // 2], data[600:])):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(wrong)
        with pytest.raises(BadBundle):
            import_bundle(path, tmp_path / "bundle")
    with pytest.raises(BadBundle, match="does not exist"):
        import_bundle(tmp_path / "absent.tar", tmp_path / "bundle")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{number}.tar" for number in range(5)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), data=st.binary(min_size=1, max_size=12), headers=st.booleans())
def test_a_spoiled_archive_is_refused_or_gives_the_same_bundle(
    tiny: Bundle, archive: Path, tmp_path: Path, place: float, data: bytes, headers: bool
) -> None:
    """Some bytes of a tar mean nothing; `headers` aims at the blocks that name members."""
    whole = bytearray(archive.read_bytes())
    with tarfile.open(archive) as packed:
        offsets = [member.offset for member in packed.getmembers()]
    start = offsets[int(place * (len(offsets) - 1))] + int(place * 7919) % 500 if headers else int(place * len(whole))
    whole[start : start + len(data)] = data
    path, target = tmp_path / "spoiled.tar", tmp_path / "bundle"
    path.write_bytes(whole)
    try:
        found = import_bundle(path, target)
        assert contents(found.root) == contents(tiny.root)
        shutil.rmtree(target)
    except BadBundle:
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["spoiled.tar"]


# Older manifests


def test_digest_of_a_manifest_from_before_is_of_its_own_bytes(tiny: Bundle, tmp_path: Path) -> None:
    """Fields that came later are not written into it, neither by reading nor by carrying it."""
    later = ("split", "origin", "disk", "device", "oracle_replaced")
    values = {name: value for name, value in tiny.manifest.model_dump(mode="json").items() if name not in later}
    for name in ("expected_ceiling", "majority_share", "original_quality", "placebo_qualities", "problems"):
        del values["fitness"][name]
    data = json.dumps(values, indent=3).encode()
    assert Manifest.from_bytes(data).digest == hashlib.sha256(data).hexdigest()
    shutil.copytree(tiny.root, tmp_path / "old")
    (tmp_path / "old/manifest.json").write_bytes(data)
    old = Bundle(tmp_path / "old")
    old.require_fit()
    export_bundle(old, tmp_path / "old.tar")
    carried = import_bundle(tmp_path / "old.tar", tmp_path / "new", digest=hashlib.sha256(data).hexdigest())
    assert (carried.root / "manifest.json").read_bytes() == data
