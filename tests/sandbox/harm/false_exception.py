"""An exception whose text, class and traceback are programs."""


# ends: exception
# also: process
class False_(BaseException):
    def __str__(self):
        raise False_

    __repr__ = __str__

    @property
    def __cause__(self):
        raise False_


def unlearning(net, *loaders):
    raise False_
