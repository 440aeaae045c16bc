"""An app that sends its mail to a real server; tests empty its outbox themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.settings import Settings
from tests.api.harness import Api, make_settings, running
from tests.api.smtp import PASSWORD, USER, MailServer, mail_server, make_certificate

__all__ = ["api", "certificate", "deliver", "server", "settings"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, database_url: str, server: MailServer) -> Settings:
    return make_settings(
        tmp_path,
        database_url,
        public_url="https://lethe.example.org/",
        mail_from="Lethe <lethe@example.org>",
        smtp_host="localhost",
        smtp_port=server.port,
        smtp_user=USER,
        smtp_password=PASSWORD,
    )


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    """The app, whose outbox the tests empty themselves."""
    with running(settings) as api:
        yield api


def deliver(api: Api) -> None:
    """Send all that is due."""
    while api.state.mail.step():
        pass
