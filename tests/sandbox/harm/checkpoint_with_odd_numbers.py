"""A header of the right length with a name twice, numbers that are none, and numbers of a thousand digits."""

# ends: bad_checkpoint
# also: process
import json

from tools import checkpoint, end_with


def unlearning(net, *loaders):
    honest = checkpoint(net)
    length = int.from_bytes(honest[:8], "little")
    name, tensor = next((n, t) for n, t in json.loads(honest[8 : 8 + length]).items() if n != "__metadata__")
    number = "9" * max(1, length // 4)
    odd = f'{{"{name}":NaN,"{name}":{{"dtype":{json.dumps(tensor["dtype"])},"shape":[-Infinity,{number}]}}}}'
    header = odd.encode()[:length].ljust(length)
    end_with(honest[:8] + header + honest[8 + length :])
