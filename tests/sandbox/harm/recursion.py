"""A recursion without end, also in an exception's text."""


# ends: exception
# also: process
class Deep(Exception):
    def __str__(self):
        return str(self)


def unlearning(net, *loaders):
    raise Deep
