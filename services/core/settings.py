"""Every setting of Lethe. They come from the environment (`LETHE_*`), from `lethe.env` in the data directory, or from
secret files."""

import os
import secrets
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from services.core.directories import private_directory
from services.core.errors import BadInput
from services.core.mistakes import mistake_in_words
from services.core.providers import IdentityProviders

__all__ = ["ENV_FILE", "BadSettings", "MailSecurity", "SandboxKind", "Settings", "load_settings"]

ENV_FILE = "lethe.env"
PREFIX = "LETHE_"
SECRET_FILE = "secret-key"  # noqa: S105 - the name of a file
SECRETS_DIR = Path("/run/secrets")  # in containers, one file per secret, named like its setting


class BadSettings(BadInput):
    """A setting has a value that it cannot have. The message names the setting, never its value: it may be a secret."""

    code = "bad_settings"


class SandboxKind(StrEnum):
    DOCKER = "docker"
    PROCESS = "process"


class MailSecurity(StrEnum):
    """How the connection to the mail server is secured."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(BaseSettings):
    """All settings. The defaults are for the embedded setting; production changes only URLs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path = Field(Path("var"), description="Directory for the database, blobs, benchmarks and work files.")
    database_url: str = Field("", description="SQLAlchemy URL. If empty, SQLite in the data directory.")
    database_password: SecretStr = Field(
        SecretStr(""), description="Database password, if the URL does not contain one."
    )
    database_role: str = Field(
        "", description="Database role of this service, if it is not the URL's. A URL with a password keeps its own."
    )
    api_database_password: SecretStr = Field(
        SecretStr(""), description="If set, `lethe migrate` makes the role lethe_api with this password."
    )
    worker_database_password: SecretStr = Field(
        SecretStr(""), description="If set, `lethe migrate` makes the role lethe_worker with this password."
    )
    scorer_database_password: SecretStr = Field(
        SecretStr(""), description="If set, `lethe migrate` makes the role lethe_scorer with this password."
    )
    blob_url: str = Field("", description="s3://bucket/prefix. If empty, a directory in the data directory.")
    blob_key_id: SecretStr = Field(SecretStr(""), description="Key ID for the S3 store. If empty, AWS_ACCESS_KEY_ID.")
    blob_key: SecretStr = Field(SecretStr(""), description="Key for the S3 store. If empty, AWS_SECRET_ACCESS_KEY.")
    redis_url: str = Field("", description="Redis for wake-ups. Empty if API, worker and scorer share a machine.")
    redis_password: SecretStr = Field(SecretStr(""), description="Redis password, if the URL does not contain one.")
    sandbox: SandboxKind | None = Field(None, description="docker or process. `lethe setup` chooses it once.")
    sandbox_image: str = Field("", description="Image for the Docker sandbox. If empty, the image that Lethe builds.")
    sandbox_runtime: str = Field(
        "", description="OCI runtime for the Docker sandbox, such as runsc. If empty, Docker's default."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Key used to HMAC API tokens. If empty, Lethe keeps one in the data directory."
    )
    sign_up: bool | None = Field(
        None, description="Allow public sign-up. It needs the Docker sandbox, and is on there unless set to false."
    )
    host: str = Field("127.0.0.1", description="Address on which the API listens.")
    port: int = Field(8000, ge=1, le=65535, description="Port on which the API listens.")
    allowed_hosts: str = Field(
        "",
        description="Names by which browsers reach the API, separated by commas; `*` for any. Its addresses and "
        "localhost are always allowed.",
    )
    public_url: str = Field(
        "", description="Address of the web app as people reach it, for links in mail: https://lethe.example.org."
    )
    mail_from: str = Field(
        "",
        description="Sender of mail: lethe@example.org. Mail is sent if this, LETHE_SMTP_HOST and LETHE_PUBLIC_URL "
        "are set.",
    )
    smtp_host: str = Field("", description="Mail server (SMTP) that takes our mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str = Field("", description="User at the mail server. If empty, Lethe does not log in there.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    smtp_security: MailSecurity = Field(
        MailSecurity.STARTTLS, description="starttls, tls or none. The certificate is checked; none is for localhost."
    )
    webhooks_to_private: bool = Field(
        False, description="Call webhooks at addresses of private networks and without TLS, too."
    )
    oidc: IdentityProviders = Field(
        (),
        description="OpenID Connect providers with which people sign in, a JSON list: operate.md, Other sign-ins.",
    )
    max_upload_bytes: int = Field(20 * 1024**2, gt=0, description="Largest submission accepted, in bytes.")
    max_benchmark_bytes: int = Field(
        10 * 1024**3, ge=0, description="Largest benchmark that can be uploaded, in bytes. 0 allows no uploads."
    )
    worker_slots: int = Field(
        0, ge=0, description="Number of sandboxes run side by side; the first ones get the GPUs. 0 for one per CPU."
    )
    gpus_only: bool = Field(
        False, description="Serve GPU phases only. Without a GPU, the worker then refuses to start."
    )
    slots_per_gpu: int = Field(
        1, ge=1, description="Number of sandboxes that share a GPU. With more than 1, run times are less precise."
    )
    slot_memory_bytes: int = Field(2 * 1024**3, gt=0, description="Memory of one sandbox, in bytes.")
    lease_s: float = Field(15.0, gt=0, description="Seconds without a sign of life until a worker loses its shard.")
    renew_every_s: float = Field(
        2.0, gt=0, description="Seconds between lease renewals, at which a worker also notices a cancellation."
    )
    sweep_every_s: float = Field(0.0, ge=0, description="Seconds between sweeps. 0 for 15 with Redis, 0.5 without.")

    @property
    def embedded(self) -> bool:
        """Tell whether wake-ups stay inside each process, because no Redis is configured."""
        return not self.redis_url

    @property
    def resolved_database_url(self) -> str:
        """The database's URL, with its password or with the default filled in."""
        url = self.database_url or f"sqlite:///{self.data_dir.resolve() / 'lethe.db'}"
        return _with_login(url, self.database_role, self.database_password)

    @property
    def role_passwords(self) -> dict[str, str]:
        """The database roles of services that have a password, each with it."""
        given = {
            "lethe_api": self.api_database_password,
            "lethe_worker": self.worker_database_password,
            "lethe_scorer": self.scorer_database_password,
        }
        return {role: password.get_secret_value() for role, password in given.items() if password.get_secret_value()}

    @property
    def resolved_redis_url(self) -> str:
        """The URL of Redis with its password; empty without Redis."""
        return _with_login(self.redis_url, "", self.redis_password)

    @property
    def resolved_sandbox(self) -> SandboxKind:
        """The sandbox chosen at setup; `process` if none was, because only the operator may submit to it."""
        return self.sandbox or SandboxKind.PROCESS

    @property
    def sign_up_open(self) -> bool:
        """Tell whether anyone may create an account. Never with the process sandbox, which isolates nothing."""
        return self.resolved_sandbox is SandboxKind.DOCKER and self.sign_up is not False

    @property
    def mail_configured(self) -> bool:
        """Tell whether mail can be sent."""
        return bool(self.smtp_host and self.mail_from and self.public_url)

    @property
    def site(self) -> str:
        """The address of the web app for people, without a slash at its end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def host_names(self) -> frozenset[str]:
        """The names by which clients may call the API, besides addresses and localhost."""
        named = [*self.allowed_hosts.split(","), self.host]
        return frozenset(name.strip().lower() for name in named if name.strip())

    @property
    def resolved_sweep_every_s(self) -> float:
        """Seconds between sweeps, with the default filled in."""
        return self.sweep_every_s or (0.5 if self.embedded else 15.0)

    @property
    def benchmarks_dir(self) -> Path:
        """The directory where benchmarks are built and imported."""
        return self.data_dir / "benchmarks"

    @property
    def bundle_cache(self) -> Path:
        """The directory where worker and scorer keep the benchmarks fetched from the blob store."""
        return self.data_dir.resolve() / "cache" / "benchmarks"

    def make_data_dir(self) -> Path:
        """Create the data directory, closed to other users, or close it; return it. Call this before writing there."""
        return private_directory(self.data_dir)

    def key(self) -> bytes:
        """Return the secret key; create one with mode 0600 on first use if none is configured."""
        if self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value().encode()
        path = self.make_data_dir() / SECRET_FILE
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        return path.read_bytes()


def load_settings(data_dir: Path | None = None) -> Settings:
    """Read the settings for one data directory: the environment first, then its `lethe.env`, then secret files.

    Raises BadSettings, which names every setting that is wrong.
    """
    root = data_dir or Path(os.environ.get("LETHE_DATA_DIR", "var"))
    secrets_dir = SECRETS_DIR if SECRETS_DIR.is_dir() else None
    try:
        return Settings(_env_file=root / ENV_FILE, _secrets_dir=secrets_dir, data_dir=root)
    except ValidationError as error:
        wrong = [_as_sentence(mistake_in_words(one)) for one in error.errors()]
    except SettingsError as error:  # a list that is not JSON; the error names its field only in its text
        found = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
        wrong = [_as_sentence(f"{found}: must be JSON")]
    raise BadSettings(f"{'; '.join(wrong)}. Correct it in the environment or in {root / ENV_FILE}.")


def _as_sentence(mistake: str) -> str:
    """Begin with the variable, as it is written: `port: must be ...` becomes `LETHE_PORT must be ...`."""
    where, _, said = mistake.partition(": ")
    setting, dot, inside = where.partition(".")
    return f"{PREFIX}{setting.upper()}{dot}{inside} {said}"


def _with_login(url: str, user: str, password: SecretStr) -> str:
    """Complete a URL; one that has a password, or a database without a server, stays as it is."""
    if not url or url.startswith("sqlite") or not (user or password.get_secret_value()):
        return url
    from sqlalchemy import make_url  # imported here because a participant's command needs no database

    parsed = make_url(url)
    if parsed.password:
        return url
    named = parsed.set(username=user or parsed.username or "", password=password.get_secret_value() or None)
    return named.render_as_string(hide_password=False)
