"""Every hook of Python raises: tracing, audits, imports, exceptions that nobody catches, the collector."""

# ends: scored | exception
# also: process
import builtins
import gc
import sys
import threading


class Raises:
    def find_spec(self, *_):
        raise ImportError

    def __call__(self, *_, **__):
        raise RuntimeError("hook")


def unlearning(net, *loaders):
    hook = Raises()
    sys.excepthook = sys.unraisablehook = threading.excepthook = sys.displayhook = hook
    gc.callbacks.append(hook)
    sys.meta_path.insert(0, hook)
    builtins.__import__ = builtins.__build_class__ = hook
    threading.setprofile(hook)
    sys.addaudithook(lambda *_: None)
    sys.settrace(hook)
