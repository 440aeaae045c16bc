"""`lethe benchmark`, run as an organiser would: build, look, verify, carry; and what is refused."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.synthetic_faces import write_faces
from services.cli.building import find_or_build
from services.core.bundle.acceptance import accept_unfit
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import UnfitBenchmark
from services.core.settings import Settings
from tests import command


def environment(directory: Path) -> dict[str, str]:
    return {"LETHE_DATA_DIR": str(directory / "var"), "COLUMNS": "500"}


def lethe(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command.lethe("benchmark", *arguments, check=False, **environment(directory))


def lethe_here(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which takes no time to start."""
    return command.lethe_here("benchmark", *arguments, **environment(directory))


def refusal(directory: Path, *arguments: str) -> str:
    done = lethe(directory, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def refusal_here(directory: Path, *arguments: str) -> str:
    done = lethe_here(directory, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of this file run; its benchmark forgets clean labels, which eight models cannot judge."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def built(place: Path) -> subprocess.CompletedProcess[str]:
    (place / "secret").write_text(f"{'5e' * 32}\n")
    options = ("--seeds", "8", "--for", "final", "--scenario", "random:60", "--secret-file", str(place / "secret"))
    return lethe(place, "build", "digits", *options, "--json")


@pytest.fixture(scope="module")
def bundle(place: Path, built: subprocess.CompletedProcess[str]) -> Bundle:
    assert "Traceback" not in built.stderr
    return Bundle(place / "var/benchmarks/digits-random-60-final")


def test_list_names_every_benchmark_and_whether_it_needs_files(tmp_path: Path) -> None:
    lines = lethe_here(tmp_path, "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(DEFINITIONS)
    for line in lines:
        needs = line.startswith(("casia-surf", "mnist", "cifar", "certified-mnist", "certified-cifar10"))
        assert line.endswith("needs --data" if needs else "needs no files")
    assert "Handwritten digits · mlp" in lines[0]


def test_build_tells_what_it_takes_and_what_was_measured(
    place: Path, built: subprocess.CompletedProcess[str], bundle: Bundle
) -> None:
    shown = json.loads(built.stdout)
    bundle.verify()
    assert shown["digest"] == bundle.manifest.digest
    assert shown["directory"] == str(bundle.root)
    assert shown["origin"] == bundle.manifest.model_dump(mode="json")["origin"]
    assert (shown["origin"]["scenario"], shown["origin"]["drawn_for"]) == ("random:60", "final")
    assert "of disk; the benchmark up to" in built.stderr
    assert "Placebo ratio" in built.stderr
    assert shown["seed_commitment"] == hashlib.sha256(bytes([0x5E] * 32)).hexdigest()


def test_an_unfit_benchmark_stays_with_a_report_and_is_not_published(
    place: Path, built: subprocess.CompletedProcess[str], bundle: Bundle
) -> None:
    """With clean labels and eight models, none of ten originals gives a placebo ratio of 3."""
    (problem, *_) = bundle.manifest.fitness.problems
    assert built.returncode == 1
    assert problem in built.stderr
    assert "cannot be published" in built.stderr
    report = bundle.root.with_name("digits-random-60-final.fitness.html")
    assert "<svg" in report.read_text()
    with pytest.raises(UnfitBenchmark):
        bundle.require_fit()
    assert "cannot be used in a competition" in refusal(place, "publish", "digits-random-60-final")


def test_an_unfit_benchmark_is_published_for_a_reason_that_is_shown(place: Path, bundle: Bundle) -> None:
    shutil.copytree(bundle.root, place / "var/benchmarks/accepted")
    reason = "We look at how clean labels behave."
    command.lethe_here("migrate", **environment(place))
    done = lethe_here(place, "publish", "accepted", "--accept-unfit", reason)
    assert done.returncode == 0, done.stderr
    accepted = Bundle(place / "var/benchmarks/accepted")
    assert f"as {accepted.manifest.digest}." in done.stderr
    assert reason in done.stderr
    report = place / "accepted.html"
    shown = lethe_here(place, "inspect", "accepted", "--report", str(report)).stdout
    assert f"used although unfit: {reason}" in shown
    assert bundle.manifest.fitness.problems[0] in shown
    assert "used all the same" in report.read_text()
    assert reason in report.read_text()
    assert "was accepted before" in refusal_here(place, "publish", "accepted", "--accept-unfit", "Another one.")
    assert "reason of 1 to" in refusal_here(place, "publish", str(bundle.root), "--accept-unfit", " ")


def test_a_release_of_it_is_imported_elsewhere_under_its_name(place: Path, bundle: Bundle, tmp_path: Path) -> None:
    assert "cannot be used" in refusal_here(place, "release", str(bundle.root), "--out", str(tmp_path / "none"))
    shutil.copytree(bundle.root, place / "var/benchmarks/ready")
    accept_unfit(Bundle(place / "var/benchmarks/ready"), "To try a release.")
    done = lethe_here(place, "release", "ready", "--out", str(tmp_path / "release"))
    assert done.returncode == 0, done.stderr
    assert "digits-random-60-final.tar: 1." in done.stderr
    assert "at most 1 MB" in refusal_here(place, "release", "ready", "--out", str(tmp_path / "no"), "--most-mb", "1")
    archive = tmp_path / "release/digits-random-60-final.tar"
    assert lethe_here(tmp_path, "import", str(archive)).returncode == 0
    assert Bundle(tmp_path / "var/benchmarks/digits-random-60-final").manifest.accepted_unfit == "To try a release."


def test_who_waits_for_a_long_build_hears_of_a_ready_made_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = DEFINITIONS["digits"]
    monkeypatch.setitem(DEFINITIONS, "digits", replace(digits, hours=1.5, seeds=16, originals=1))
    monkeypatch.setattr("services.cli.building.require_fit", lambda _: None)  # so few models are fit only by luck
    bundle = find_or_build(Settings(data_dir=tmp_path / "var"), "digits")
    told = capsys.readouterr().err
    assert bundle.manifest.oracle_seeds == 16
    assert "about 1.5 hours on 2 cores" in told
    assert "lethe benchmark import digits.tar" in told
    find_or_build(Settings(data_dir=tmp_path / "var"), "digits")
    assert "hours" not in capsys.readouterr().err


def test_a_dry_run_on_own_files_leaves_nothing_and_tells_what_a_build_takes(tmp_path: Path) -> None:
    faces, scratch = tmp_path / "faces", tmp_path / "scratch"
    scratch.mkdir()
    write_faces(faces, subjects=20, images_per_subject=10)
    options = ("casia-surf", "--data", str(faces), "--seeds", "8", "--dry-run", "--json")
    done = command.lethe("benchmark", "build", *options, check=False, **environment(tmp_path), TMPDIR=str(scratch))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["files"], found["images"], found["seeds"]) == (None, 200, 8)
    assert (found["models"], found["runs"]) == (2 * 8 + 8 + 8, 8 * 4)  # 8 originals, and a placebo for each
    assert 0 < found["bundle_bytes"] <= found["disk"]["bundle"]
    assert found["build_s"] > 0
    assert list(scratch.glob("lethe-*")) == []
    assert not (tmp_path / "var/benchmarks").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("casia-surf", "--out", "there"), "Leave out --out"),
        (("digits", "--robustness", "--from", "part"), "Leave out --from and --robustness"),
        (("mnist",), "no stand-in for mnist"),
        (("certified-digits",), "has no dry run"),
    ],
)
def test_a_dry_run_that_makes_no_sense_is_refused(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    assert says in refusal_here(tmp_path, "build", *options, "--dry-run")


def test_inspect_shows_it_and_writes_a_page(place: Path, bundle: Bundle) -> None:
    page = place / "page.html"
    done = lethe_here(place, "inspect", "digits-random-60-final", "--report", str(page))
    assert done.returncode == 0
    for words in (bundle.manifest.digest, "60 of 1200 training examples", "1140 retain, 60 forget", "unfit: "):
        assert words in done.stdout
    assert page.read_text().count("<svg") == 4
    assert "cannot be written" in refusal_here(place, "inspect", str(bundle.root), "--report", str(place))


def test_verify_with_the_secret_checks_the_split(place: Path, bundle: Bundle) -> None:
    done = lethe_here(place, "verify", str(bundle.root), "--secret-file", str(place / "secret"))
    assert done.returncode == 0
    assert f"{len(bundle.manifest.files)} files match" in done.stderr
    assert "gives this split of 1797 examples" in done.stderr
    (place / "other").write_text("00" * 32)
    assert "committed to another" in refusal_here(
        place, "verify", str(bundle.root), "--secret-file", str(place / "other")
    )
    (place / "short").write_text("00")
    assert "64 of them" in refusal_here(place, "verify", str(bundle.root), "--secret-file", str(place / "short"))


def test_export_and_import_carry_it_to_another_installation(place: Path, bundle: Bundle, tmp_path: Path) -> None:
    archive = tmp_path / "Digits final.tar"
    done = lethe_here(place, "export", "digits-random-60-final", str(archive))
    assert (done.returncode, bundle.manifest.digest in done.stderr) == (0, True)
    assert "is missing" not in done.stderr
    there = lethe_here(tmp_path, "import", str(archive), "--digest", bundle.manifest.digest)
    assert there.returncode == 0, there.stderr
    carried = Bundle(tmp_path / "var/benchmarks/digits-final")
    carried.verify()
    assert carried.manifest == bundle.manifest
    assert "exists" in refusal_here(tmp_path, "import", str(archive))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("digits", "--seeds", "many"), "such as 512 or a range such as 0:256"),
        (("digits", "--seeds", "7"), "at least 8"),
        (("digits", "--seeds", "0:64"), "--secret-file"),
        (("digits", "--for", "final"), "--secret-file"),
        (("digits", "--for", "The Final", "--secret-file", "none"), "lower-case"),
        (("digits", "--scenario", "everything"), "random:500"),
        (("nothing",), "Choose one of: casia-surf"),
        (("mnist",), "--data"),
    ],
)
def test_a_build_that_makes_no_sense_is_refused_before_it_starts(
    tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    assert says in refusal_here(tmp_path, "build", *options)
    assert not (tmp_path / "var/benchmarks").exists()


def test_seeds_are_shared_by_ranges(tmp_path: Path) -> None:
    """A part of 8 models, in the directory that the command names; the secret is made, for its owner alone."""
    secret = ("--secret-file", str(tmp_path / "secret"))
    done = lethe(tmp_path, "build", "digits", "--seeds", "0:8", *secret)
    assert done.returncode == 0, done.stderr
    assert len(bytes.fromhex((tmp_path / "secret").read_text())) == 32
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    part = tmp_path / "var/benchmarks/digits.part-0-8"
    assert f"Models 0 to 7 of both oracles are in {part}" in done.stderr
    assert len(list(part.glob("*.safetensors"))) == 2
    assert "multiple of 64" in refusal_here(tmp_path, "build", "digits", "--seeds", "8:16", *secret)
