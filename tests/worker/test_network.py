"""Whether a failure shows that code asked for the network: what libraries and tools say when there is none."""

import socket
import traceback

import pytest

from services.worker.runner.network import MOST_CHARACTERS, wants_network


@pytest.mark.parametrize(
    "said",
    [
        "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
        "socket.gaierror: [Errno -2] Name or service not known",
        "OSError: [Errno 101] Network is unreachable",
        "OSError: [Errno 113] No route to host",
        "Failed to resolve 'huggingface.co' ([Errno -5] No address associated with hostname)",
        "fatal: unable to access 'https://example.com/': Could not resolve host: example.com",
        "/bin/bash: line 1: wget: command not found",
        "/bin/sh: 1: pip: not found",
        "/usr/bin/python3: No module named pip",
        "RuntimeError: It looks like there is no internet connection and the repo could not be found in the cache",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    ],
)
def test_what_is_said_without_a_network_is_known(said: str) -> None:
    assert wants_network(f"line before\n{said}\nline after")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "ModuleNotFoundError: No module named 'pipeline'",
        "PermissionError: [Errno 1] Operation not permitted: 'weights.pth'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'network.pth'",
        "KeyError: 'key not found'",
        "ValueError: could not connect the layers",
        "ValueError: the network is too deep",
    ],
)
def test_other_failures_are_not_taken_for_it(said: str) -> None:
    assert not wants_network(said)


def test_a_socket_that_the_sandbox_refuses_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
    except PermissionError as error:
        assert wants_network("".join(traceback.format_exception(error)))


def test_of_a_long_text_only_head_and_tail_count() -> None:
    said, much = "OSError: [Errno 113] No route to host", "x" * MOST_CHARACTERS
    assert wants_network(said + much) and wants_network(much + said)
    assert not wants_network(much + said + much)
