"""The compose file hands on what there is to set, and builds what it names. No Docker is needed to see that."""

import re
from pathlib import Path

from services.core.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = (ROOT / "docker-compose.yml").read_text()
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
    assert set(re.findall(r"target: (\w+)", COMPOSE_FILE)) <= set(stages)
