"""Hidden data as the shape of a tensor, which a refusal could repeat."""

# ends: bad_checkpoint
# hidden: yes
# also: process
import torch
from tools import SECRET


def unlearning(net, *loaders):
    net._parameters["bias"] = torch.nn.Parameter(torch.zeros(1).expand(int(SECRET)), requires_grad=False)
