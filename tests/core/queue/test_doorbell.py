"""Both doorbells: Celery's in-process transport, and a real Redis."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from services.core.queue.doorbell import Bell, Doorbell
from services.core.settings import Settings
from tests.faults.proxy import Mode, Proxy

ANSWERER = textwrap.dedent(
    """
    import sys, threading
    from services.core.queue.doorbell import Bell, Doorbell
    from services.core.settings import Settings

    bell = Doorbell(Settings(redis_url=sys.argv[1]))
    swept = threading.Event()

    def look():
        print("looked", flush=True)

    def sweep():
        if not swept.is_set():
            swept.set()
            print("swept", flush=True)
            if sys.argv[2] == "ring":
                bell.ring(Bell.RUN)

    bell.answer(
        Bell.RUN, look=look, sweep=sweep, sweep_every_s=0.1, threads=int(sys.argv[3]), stopping=threading.Event()
    )
    print("ended", flush=True)
    """
)


def answerer(redis_url: str, mode: str, threads: int = 2) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ANSWERER, redis_url, mode, str(threads)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"ended without {word}")


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    read_until(process, "ended")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 0


@pytest.fixture(params=["embedded", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "embedded" else str(request.getfixturevalue("fresh_redis_url"))


def test_ring_of_the_own_sweeper_is_answered(url: str) -> None:
    process = answerer(url, "ring")
    read_until(process, "looked")
    stop(process)


def test_ring_crosses_processes_with_redis(fresh_redis_url: str) -> None:
    process = answerer(fresh_redis_url, "wait")
    read_until(process, "swept")
    doorbell = Doorbell(Settings(redis_url=fresh_redis_url))
    doorbell.ring_across(Bell.RUN)
    read_until(process, "looked")
    stop(process)
    doorbell.app.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_rings_are_heard_after_redis_stood_still(fresh_redis_url: str, threads: int) -> None:
    """It delivers a ring to each thread, and does not take that they are being answered."""
    doorbell = Doorbell(Settings(redis_url=fresh_redis_url))
    with Proxy(fresh_redis_url) as proxy:
        parts = urlsplit(fresh_redis_url)
        process = answerer(urlunsplit(parts._replace(netloc=urlsplit(proxy.url).netloc)), "wait", threads)
        read_until(process, "swept")
        for _ in range(threads):
            proxy.hold_at = b"ZREM"  # by which a ring is acknowledged
            doorbell.ring(Bell.RUN)
            read_until(process, "looked")
            time.sleep(6)  # longer than it waits for Redis
            proxy.hold_at, proxy.mode = b"", Mode.PASS

        doorbell.ring(Bell.RUN)
        read_until(process, "looked")
        stop(process)
    doorbell.app.close()


def test_ring_across_is_silent_where_nothing_crosses() -> None:
    doorbell = Doorbell(Settings(redis_url=""))
    with doorbell.app.connection_for_read() as connection, connection.SimpleQueue(Bell.RUN.value) as messages:
        messages.clear()
        doorbell.ring_across(Bell.RUN)
        assert messages.qsize() == 0
        doorbell.ring(Bell.RUN)
        assert messages.qsize() == 1
        messages.clear()


def test_ring_without_redis_is_harmless_and_quick() -> None:
    """A lost ring costs latency, never work: the request that rang must succeed."""
    doorbell = Doorbell(Settings(redis_url="redis://127.0.0.1:1/0"))
    started = threading.Event()

    def ring() -> None:
        doorbell.ring_across(Bell.RUN)
        started.set()

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not started.is_set() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert started.is_set()
    doorbell.app.close()


def test_settings_read_the_env_file_and_the_environment_overrides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.core.settings import load_settings

    (tmp_path / "lethe.env").write_text("LETHE_SANDBOX=docker\nLETHE_PORT=9000\n")
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LETHE_PORT", "9001")
    settings = load_settings()
    assert (settings.sandbox, settings.port, settings.data_dir) == ("docker", 9001, tmp_path)


def test_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = Settings(data_dir=tmp_path).key()
    assert Settings(data_dir=tmp_path).key() == key
    assert len(key) == 64
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
