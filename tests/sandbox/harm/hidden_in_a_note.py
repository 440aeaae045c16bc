"""Hidden data in every field of a forged note."""

# ends: exception
# hidden: yes
# also: process
import json
import os

from tools import OUT, SECRET, token


def unlearning(net, *loaders):
    note = {"kind": "exception", "message": SECRET, "exception": SECRET, "line": int(SECRET), "file": SECRET}
    with open(f"{OUT}/{token()}.note", "w") as file:
        json.dump(note, file)
    os._exit(64)
