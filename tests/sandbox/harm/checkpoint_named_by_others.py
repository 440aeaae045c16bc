"""Files with other names that look like checkpoints, notes and parts of the launcher's own."""

# ends: scored
import os

from tools import OUT, token


def unlearning(net, *loaders):
    for name in (
        "-rf",
        "a\nb",
        "..x",
        "\udcff",
        "0" * 16,
        "0" * 16 + ".note",
        f"{token()}.",
        f"{token()}.part.",
        "original.part",
    ):
        with open(os.fsencode(f"{OUT}/{name}"), "wb") as file:
            file.write(b"x" * 300)
