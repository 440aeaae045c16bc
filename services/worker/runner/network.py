"""Tells from what code said whether it asked for the network, which no sandbox has."""

import re

from services.core.text import shortened

__all__ = ["NO_NETWORK", "wants_network"]

MOST_CHARACTERS = 100_000  # that are looked at: a search takes seconds for each ten megabytes
NO_NETWORK = "There is no network in the sandbox."
_UNREACHED = re.compile(
    r"name resolution|Name or service not known|nodename nor servname|No address associated with hostname"
    r"|Could not resolve host|Couldn't resolve host|unable to resolve host|Name does not resolve|gaierror"
    r"|no internet connection|Failed to resolve|couldn't connect to|check your internet connection"
    r"|Network is unreachable|Network is down|No route to host|Cannot assign requested address",
    re.IGNORECASE,
)
# A module's process may open no socket for the network at all.
_NO_SOCKET = re.compile(r"Operation not permitted|Permission denied|Address family not supported")
_IN_SOCKETS = re.compile(r"\bsocket\.py\b")
_DOWNLOADER = re.compile(
    r"\b(pip3?|wget|curl|git|conda|apt|apt-get|kaggle|gdown): (command )?not found|No module named '?pip\b"
)


def wants_network(text: str) -> bool:
    """Tell whether a traceback, or printed output, shows a failed name resolution, no route, or no downloader.

    Of a long text only head and tail count.
    """
    text = shortened(text, MOST_CHARACTERS)
    if _UNREACHED.search(text) or _DOWNLOADER.search(text):
        return True
    return bool(_IN_SOCKETS.search(text) and _NO_SOCKET.search(text))
