"""An exception with a text of 50 megabytes, and with a thousand causes."""


# ends: exception
# also: process
def unlearning(net, *loaders):
    error = ValueError("x" * 50_000_000)
    for _ in range(1000):
        try:
            raise ValueError("again") from error
        except ValueError as caught:
            error = caught
    raise error
