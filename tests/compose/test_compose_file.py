"""The compose file hands on what there is to set, and builds what it names. No Docker is needed to see that."""

import re
from collections import Counter
from pathlib import Path

import yaml

from services.core.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE_FILE)["services"]
FIXED_BY_THE_IMAGES = {"data_dir", "host", "port"}


def test_every_setting_can_be_set() -> None:
    handed_on = set(re.findall(r"^ +(LETHE_\w+):", COMPOSE_FILE, re.MULTILINE))
    secret = {name.upper() for name in re.findall(r"^ +(lethe_\w+): \{file:", COMPOSE_FILE, re.MULTILINE)}
    for name in Settings.model_fields.keys() - FIXED_BY_THE_IMAGES:
        assert f"LETHE_{name.upper()}" in handed_on | secret


def test_secrets_are_the_files_that_a_script_makes() -> None:
    made = re.findall(r"^keep ([\w-]+) ", (ROOT / "scripts" / "make-secrets").read_text(), re.MULTILINE)
    assert sorted(made) == sorted(re.findall(r'\{file: "\$\{LETHE_SECRETS:-\./secrets\}/([\w-]+)"\}', COMPOSE_FILE))


def test_targets_are_stages_of_the_dockerfile() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\*build, target: (\w+)", COMPOSE_FILE)) <= set(stages)


def test_what_the_file_takes_from_the_environment_is_documented() -> None:
    page = (ROOT / "docs" / "operate.md").read_text()
    known = {f"LETHE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\$\{(\w+)", COMPOSE_FILE)) - known <= set(re.findall(r"\b[A-Z_]{6,}\b", page))


def test_each_of_our_images_is_built_by_one_service_or_by_the_script_of_sandboxes() -> None:
    ours = Counter(service["image"] for service in SERVICES.values() if "build" in service)
    assert set(ours.values()) == {1}
    others = {service["image"] for service in SERVICES.values()} - set(ours)
    sandboxes = {f"lethe-sandbox-{name}:latest" for name in ("current", "current-cuda")}
    assert {_default_of(image) for image in others} == {"postgres:15-bookworm", "redis:7-bookworm", *sandboxes}


def test_what_a_further_host_starts_is_what_it_was_told_to_build() -> None:
    """A service whose image nobody built there would be pulled from a registry, which does not have it."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "operate.md").read_text(), re.MULTILINE | re.DOTALL)
    patterns = (r"compose build\b(.*)", r"scripts/sandbox-image\b(.*)", r"up -d --no-deps\b(.*)")
    told = [[_words(pattern, block) for pattern in patterns] for block in blocks]
    further_hosts = [(built, sandboxes, started) for built, sandboxes, started in told if started]
    assert len(further_hosts) == 2
    for built, sandboxes, started in further_hosts:
        images = {SERVICES[name]["image"] for name in built if "build" in SERVICES[name]}
        images |= {f"lethe-sandbox-{name}:latest" for name in sandboxes}
        for service in (SERVICES[name] for name in started):
            assert {service["image"], _default_of(service["environment"]["LETHE_SANDBOX_IMAGE"])} <= images


def _default_of(value: str) -> str:
    """Return what a value is if its variable is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def _words(pattern: str, commands: str) -> list[str]:
    found = re.search(pattern, commands)
    return found.group(1).partition("#")[0].split() if found else []
