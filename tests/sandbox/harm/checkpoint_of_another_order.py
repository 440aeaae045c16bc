"""The honest header with its names in another order, and the same with white space: equal to a parser only."""

# ends: bad_checkpoint
# also: process
import json

from tools import checkpoint, end_with


def unlearning(net, *loaders):
    honest = checkpoint(net)
    length = int.from_bytes(honest[:8], "little")
    header = json.dumps(dict(reversed(json.loads(honest[8 : 8 + length]).items())), separators=(",", ":")).encode()
    end_with(honest[:8] + header.ljust(length)[:length] + honest[8 + length :])
