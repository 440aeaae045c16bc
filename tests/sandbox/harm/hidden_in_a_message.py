"""Hidden data in an exception's text."""

# ends: exception
# hidden: yes
# also: process
from tools import SECRET


def unlearning(net, *loaders):
    raise ValueError(SECRET)
