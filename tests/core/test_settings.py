"""Where settings come from, and which place wins."""

from pathlib import Path

import pytest

from services.core import settings as module
from services.core.settings import BadSettings, Settings, load_settings
from services.core.store.blobs import Blobs
from tests.real_services import s3_environment

URL = "postgresql+psycopg://lethe@postgres/lethe"


@pytest.fixture
def secrets_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    monkeypatch.setattr(module, "SECRETS_DIR", directory)
    return directory


def test_secret_is_read_from_a_file_of_its_name(secrets_dir: Path, tmp_path: Path) -> None:
    (secrets_dir / "lethe_secret_key").write_text("from a file\n")
    assert load_settings(tmp_path).key() == b"from a file"


def test_environment_wins_over_the_file_of_the_data_directory_and_that_over_secrets(
    secrets_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets_dir / "lethe_secret_key").write_text("secret")
    (tmp_path / module.ENV_FILE).write_text("LETHE_SECRET_KEY=data directory\n")
    assert load_settings(tmp_path).key() == b"data directory"
    monkeypatch.setenv("LETHE_SECRET_KEY", "environment")
    assert load_settings(tmp_path).key() == b"environment"


def test_no_directory_of_secrets_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECRETS_DIR", tmp_path / "absent")
    assert load_settings(tmp_path).secret_key.get_secret_value() == ""


def test_database_password_joins_a_url_that_has_none(secrets_dir: Path, tmp_path: Path) -> None:
    (secrets_dir / "lethe_database_password").write_text("p@ss/word\n")
    assert load_settings(tmp_path).resolved_database_url.startswith("sqlite:///")
    joined = "postgresql+psycopg://lethe:p%40ss%2Fword@postgres/lethe"
    assert Settings(database_url=URL, database_password="p@ss/word").resolved_database_url == joined
    own = "postgresql+psycopg://lethe:own@postgres/lethe"
    assert Settings(database_url=own, database_password="p@ss/word").resolved_database_url == own
    assert Settings(database_url=URL).resolved_database_url == URL


def test_a_service_connects_with_its_own_role_unless_the_url_is_complete() -> None:
    def resolved(url: str) -> str:
        return Settings(database_url=url, database_role="lethe_api", database_password="secret").resolved_database_url

    assert resolved(URL) == URL.replace("lethe@", "lethe_api:secret@")
    complete = "postgresql+psycopg://lethe:own@postgres/lethe"
    assert resolved(complete) == complete
    assert resolved("").startswith("sqlite:////")


def test_redis_password_joins_a_url_that_has_none(secrets_dir: Path, tmp_path: Path) -> None:
    (secrets_dir / "lethe_redis_password").write_text("p@ss/word\n")
    assert load_settings(tmp_path).resolved_redis_url == ""
    joined = Settings(redis_url="redis://redis:6379/0", redis_password="p@ss/word")
    assert joined.resolved_redis_url == "redis://:p%40ss%2Fword@redis:6379/0"
    for url in ("rediss://ada:own@redis:6379/0", "redis://:own@redis/0"):
        assert Settings(redis_url=url, redis_password="p@ss/word").resolved_redis_url == url
    assert Settings(redis_url="redis://elsewhere/1").resolved_redis_url == "redis://elsewhere/1"


def test_s3_keys_of_the_settings_open_the_store(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_environment(s3_url).items():
        if "KEY" not in name:
            monkeypatch.setenv(name, value)
    blobs = Blobs.from_settings(Settings(blob_url="s3://lethe/settings", blob_key_id="key", blob_key="secret"))
    assert blobs.get(blobs.put(b"content")) == b"content"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LETHE_PORT", "s3cret", "LETHE_PORT must be a whole number"),
        ("LETHE_SANDBOX", "s3cret", "LETHE_SANDBOX must be 'docker' or 'process'"),
        ("LETHE_OIDC", "[s3cret", "LETHE_OIDC must be JSON"),
        (
            "LETHE_OIDC",
            '[{"name": "uni", "title": "U", "issuer": "https://x.org", "client_id": "l", "client_secret": "s3cret"}]',
            "LETHE_OIDC.0.client_secret is not known here; remove it or check its spelling",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_kept_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as raised:
        load_settings(tmp_path)
    assert raised.value.message == f"{said}. Correct it in the environment or in {tmp_path / module.ENV_FILE}."
    assert "s3cret" not in raised.value.message


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / module.ENV_FILE).write_text("LETHE_PORT=0\nLETHE_WORKER_SLOTS=many\n")
    with pytest.raises(BadSettings, match=r"LETHE_PORT must be .*; LETHE_WORKER_SLOTS must be a whole number"):
        load_settings(tmp_path)
