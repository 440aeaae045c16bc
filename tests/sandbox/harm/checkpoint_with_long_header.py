"""A header whose length reaches far beyond the file."""

# ends: bad_checkpoint
# also: process
from tools import checkpoint, end_with


def unlearning(net, *loaders):
    end_with((2**63).to_bytes(8, "little") + checkpoint(net)[8:])
