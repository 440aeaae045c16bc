"""An end while the module is imported."""

# ends: exception | import_error
# also: process
import os

os._exit(0)


def unlearning(net, *loaders):
    """Never called."""
