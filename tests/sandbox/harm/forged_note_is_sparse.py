"""A note that is a hole as large as a file may be."""

# ends: exception
# also: process
import os
import resource

from tools import OUT, token


def unlearning(net, *loaders):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    with open(f"{OUT}/{token()}.note", "wb") as note:
        note.truncate(limit if 0 < limit < 2**40 else 2**30)
    os._exit(64)
