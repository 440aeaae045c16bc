"""A crash in native code."""

# ends: exception
# also: process
import ctypes


def unlearning(net, *loaders):
    ctypes.string_at(8)
