"""Limits lowered until nothing works any more when the model is done: descriptors, memory, sizes of files."""

# ends: exception | too_much_output
# also: process
import resource


def unlearning(net, *loaders):
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, resource.RLIMIT_DATA):
        resource.setrlimit(limit, (0, 0))
