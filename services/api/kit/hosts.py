"""Refuses requests for another host's name, against DNS rebinding.

Another site can point its own name at our address, and browsers then take our answers for that site's. The request
still names that site as its host. Localhost and addresses cannot be pointed elsewhere, so they are always allowed;
every other name is a setting.
"""

import re
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.kit.problems import problem

__all__ = ["KnownHosts"]

LOOPBACK = "localhost"
ANY = "*"
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]{1,5})?")


class KnownHosts:
    """Lets requests pass whose `Host` is a loopback name, an address, or among the given names."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(Headers(scope=scope).get("host", "")):
            refused = problem(
                421,
                "unknown_host",
                "This server does not know itself by the name in the request's `Host`. Use its address or `localhost`, "
                "or let its operator add the name to LETHE_ALLOWED_HOSTS.",
            )
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        if found["ipv6"] or _is_address(found["name"]):
            return _is_address(found["ipv6"] or found["name"])
        name = found["name"].removesuffix(".")
        return ANY in self.names or name == LOOPBACK or name.endswith(f".{LOOPBACK}") or name in self.names


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
