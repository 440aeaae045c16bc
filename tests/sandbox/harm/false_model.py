"""A model whose state is a program, which lies about names and shapes."""

# ends: bad_checkpoint | exception
# also: process
from torch import nn


class False_(nn.Module):
    def state_dict(self, *_, **__):
        return {"weight": object(), "bias" * 10**6: 1}


def unlearning(net, *loaders):
    return False_()
