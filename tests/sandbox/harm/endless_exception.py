"""An exception whose text is never finished."""


# ends: timeout
# timeout: 8
# also: process
class Endless(Exception):
    def __str__(self):
        for _ in iter(int, 1):
            pass
        return ""


def unlearning(net, *loaders):
    raise Endless
