"""A header of thousands of brackets, which a parser may follow until its stack ends."""

# ends: bad_checkpoint
# also: process
from tools import checkpoint, end_with


def unlearning(net, *loaders):
    honest = checkpoint(net)
    header = int.from_bytes(honest[:8], "little")
    end_with(honest[:8] + b"[" * header + honest[8 + header :])
