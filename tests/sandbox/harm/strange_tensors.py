"""Parameters that are expanded, sparse, complex, on no device, or share memory."""

# ends: bad_checkpoint | exception | scored
# also: process
import torch


def unlearning(net, *loaders):
    net._parameters["weight"] = torch.nn.Parameter(torch.zeros(1).expand(3, 4), requires_grad=False)
    net._parameters["bias"] = torch.nn.Parameter(torch.empty(3, device="meta"), requires_grad=False)
