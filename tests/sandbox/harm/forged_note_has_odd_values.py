"""A note with a line that is no number, surrogates, and a file far outside."""

# ends: exception
# also: process
import json
import os

from tools import OUT, token


def unlearning(net, *loaders):
    note = {
        "kind": "exception",
        "message": "\ud800\0",
        "exception": "A\n",
        "line": 10**30,
        "file": "../../../../etc/passwd",
    }
    with open(f"{OUT}/{token()}.note", "w") as file:
        json.dump(note, file)
    os._exit(64)
