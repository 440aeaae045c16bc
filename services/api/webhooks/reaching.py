"""Calling an address that somebody gave: not our own machines, not beyond where it says, and not for long.

A name is resolved once, its addresses are judged, and the connection goes to the very address that was judged, so that
a name cannot lead elsewhere in between. Redirects are not followed, and proxies of the environment are not used.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpcore2

__all__ = ["NotReached", "PrivateAddress", "is_public", "post"]

WITHIN_S = 10.0  # for everything: a server that answers a byte at a time holds us no longer
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # leads to any IPv4 address, also to ours
USER_AGENT = "Lethe-Webhooks/1"


class NotReached(OSError):
    """There was no answer; the message says why, in words for the webhook's owner."""


class PrivateAddress(NotReached):
    """The address is of a private network."""


def is_public(address: str) -> bool:
    """Tell whether an IP address is of the public internet."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in NAT64 or ip.sixtofour is not None or ip.teredo is not None:
            return False
    return bool(ip.is_global) and not ip.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str], *, to_private: bool) -> int:
    """Send a body and return the status of the answer, which is not read. Raises NotReached."""
    fields = {"Host": urlsplit(url).netloc, "Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
    pool = httpcore2.ConnectionPool(
        ssl_context=ssl.create_default_context(),
        network_backend=_Judging(to_private, time.monotonic() + WITHIN_S),
        max_connections=1,
    )
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), WITHIN_S)
    try:
        with (
            pool,
            pool.stream(
                "POST",
                url,
                headers=[(name.encode(), value.encode()) for name, value in fields.items()],
                content=body,
                extensions={"timeout": timeouts},
            ) as answer,
        ):
            return int(answer.status)
    except PrivateAddress:
        raise
    except httpcore2.TimeoutException as error:
        raise NotReached(f"no answer within {WITHIN_S:g} s") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, OSError) as error:
        raise NotReached(str(error)[:150] or type(error).__name__) from error


class _Judging(httpcore2.SyncBackend):
    """Connects only to addresses that are allowed, and lets nothing take longer than until the end."""

    def __init__(self, to_private: bool, ends_at: float) -> None:
        self._to_private, self._ends_at = to_private, ends_at

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotReached("its name leads nowhere") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not self._to_private and not all(map(is_public, addresses)):
            raise PrivateAddress("it is an address of a private network")
        left = _left(self._ends_at)
        stream = super().connect_tcp(addresses[0], port, left, local_address, socket_options)
        return _Bounded(stream, self._ends_at)


class _Bounded(httpcore2.NetworkStream):
    """A stream that ends when the time for the whole call is over."""

    def __init__(self, stream: httpcore2.NetworkStream, ends_at: float) -> None:
        self._stream, self._ends_at = stream, ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._ends_at))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._ends_at))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, _left(self._ends_at)), self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left
