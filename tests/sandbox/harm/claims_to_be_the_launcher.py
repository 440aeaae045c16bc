"""The exit statuses that the launcher uses for itself."""

# ends: exception
# also: process
import os


def unlearning(net, *loaders):
    os._exit(70)
