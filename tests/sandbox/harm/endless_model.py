"""A model whose state never ends, which the runner asks for when the call has returned."""

# ends: timeout
# timeout: 8
# also: process
import collections
import itertools

from torch import nn


class Endless(nn.Module):
    def state_dict(self, *_, **__):
        return collections.UserDict(self)

    def keys(self):
        return map(str, itertools.repeat("weight"))

    def __getitem__(self, name):
        while True:
            pass


def unlearning(net, *loaders):
    return Endless()
