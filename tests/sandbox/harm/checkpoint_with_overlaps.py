"""Tensors that lie over one another or outside of the file."""

# ends: bad_checkpoint
# also: process
from tools import checkpoint, end_with


def unlearning(net, *loaders):
    honest = checkpoint(net)
    end_with(
        honest.replace(b'"data_offsets":[0,', b'"data_offsets":[9,').replace(
            b'"data_offsets": [0,', b'"data_offsets": [9,'
        )
    )
