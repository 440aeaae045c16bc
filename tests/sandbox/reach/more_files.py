"""Make more files than allowed."""

# gvisor: does not bound their number, only their size
import os

from tools import OUT


def attempt():
    made = 0
    try:
        while made < 2000:
            os.close(os.open(f"{OUT}/many{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
    except OSError:
        pass
    for number in range(made):
        os.unlink(f"{OUT}/many{number}")
    return made if made >= 1000 else None
