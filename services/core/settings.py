"""Every setting of Lethe: from the environment (`LETHE_*`), `lethe.env` in the data directory, or a file a secret."""

import os
import secrets
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["ENV_FILE", "SandboxKind", "Settings", "load_settings"]

ENV_FILE = "lethe.env"
SECRET_FILE = "secret-key"  # noqa: S105 - the name of a file
SECRETS_DIR = Path("/run/secrets")  # where containers find their secrets, each in a file named like its setting


class SandboxKind(StrEnum):
    DOCKER = "docker"
    PROCESS = "process"


class Settings(BaseSettings):
    """The defaults are the embedded setting; production changes URLs only."""

    model_config = SettingsConfigDict(env_prefix="LETHE_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("var"), description="Where the database, blobs, benchmarks and work files live.")
    database_url: str = Field("", description="SQLAlchemy URL; empty for SQLite in the data directory.")
    database_password: SecretStr = Field(SecretStr(""), description="Password of the URL's user, where it has none.")
    blob_url: str = Field("", description="s3://bucket/prefix; empty for a directory in the data directory.")
    blob_key_id: SecretStr = Field(SecretStr(""), description="Key id of the S3 store; empty for AWS_ACCESS_KEY_ID.")
    blob_key: SecretStr = Field(SecretStr(""), description="Its secret; empty for AWS_SECRET_ACCESS_KEY.")
    redis_url: str = Field("", description="Redis for wake-ups; empty when API, worker and scorer share a machine.")
    sandbox: SandboxKind | None = Field(None, description="docker or process; chosen once by `lethe setup`.")
    sandbox_image: str = Field("", description="Image for the Docker sandbox; empty for the one Lethe builds.")
    sandbox_runtime: str = Field(
        "", description="OCI runtime of the Docker sandbox, such as runsc; empty for its default."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Keys token digests; empty for one kept in the data directory."
    )
    sign_up: bool | None = Field(
        None, description="Whether strangers may sign up; unset: only with the Docker sandbox."
    )
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the API listens on.")
    max_upload_bytes: int = Field(20 * 1024**2, gt=0, description="Largest submission accepted.")
    worker_slots: int = Field(
        0, ge=0, description="Sandboxes run side by side, the first of them on the GPUs; 0 for one per CPU."
    )
    gpus_only: bool = Field(
        False, description="Whether a worker serves phases on GPUs alone; without a GPU it then refuses to start."
    )
    slots_per_gpu: int = Field(1, ge=1, description="Sandboxes that share a GPU; more than 1 blurs run times.")
    slot_memory_bytes: int = Field(2 * 1024**3, gt=0, description="Memory of one sandbox.")
    lease_s: float = Field(15.0, gt=0, description="A worker silent for this long loses its shard.")
    renew_every_s: float = Field(2.0, gt=0, description="How often a worker renews its lease and notices a cancel.")
    sweep_every_s: float = Field(0.0, ge=0, description="Seconds between sweeps; 0 for 15 with Redis, 0.5 without.")

    @property
    def embedded(self) -> bool:
        """Whether wake-ups stay inside each process, because no Redis is configured."""
        return not self.redis_url

    @property
    def resolved_database_url(self) -> str:
        password = self.database_password.get_secret_value()
        if self.database_url and password:
            return _with_password(self.database_url, password)
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'lethe.db'}"

    @property
    def resolved_sandbox(self) -> SandboxKind:
        """The sandbox chosen at setup; `process` where nobody chose, since it trusts nobody but the operator."""
        return self.sandbox or SandboxKind.PROCESS

    @property
    def sign_up_open(self) -> bool:
        """Whether strangers may make accounts. Never with the process sandbox, which isolates nothing."""
        return self.resolved_sandbox is SandboxKind.DOCKER and self.sign_up is not False

    @property
    def resolved_sweep_every_s(self) -> float:
        return self.sweep_every_s or (0.5 if self.embedded else 15.0)

    @property
    def benchmarks_dir(self) -> Path:
        return self.data_dir / "benchmarks"

    @property
    def bundle_cache(self) -> Path:
        """Where worker and scorer keep the benchmarks they fetched from the blob store."""
        return self.data_dir.resolve() / "cache" / "benchmarks"

    def key(self) -> bytes:
        """The secret key, made on first use with mode 0600 when none is configured."""
        if self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value().encode()
        path = self.data_dir / SECRET_FILE
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        return path.read_bytes()


def load_settings(data_dir: Path | None = None) -> Settings:
    """Read the settings of one data directory: the environment, then its `lethe.env`, then files of secrets."""
    root = data_dir or Path(os.environ.get("LETHE_DATA_DIR", "var"))
    secrets_dir = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    return Settings(_env_file=root / ENV_FILE, _secrets_dir=secrets_dir, data_dir=root)


def _with_password(url: str, password: str) -> str:
    from sqlalchemy import make_url  # not with the module: a participant's command has no database

    parsed = make_url(url)
    return (parsed if parsed.password else parsed.set(password=password)).render_as_string(hide_password=False)
