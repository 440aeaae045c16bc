"""Run a native program from memory without a name."""
# weak: the profile refuses the calls

# gvisor: knows memory files, as programs of its own kernel
import os

from tools import call


def attempt():
    descriptor, _ = call(319, b"program", 0)
    if descriptor < 0:
        return None
    os.write(descriptor, open("/bin/true", "rb").read())
    child = os.fork()
    if not child:
        try:
            os.execv(f"/proc/self/fd/{descriptor}", ["program"])
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    return "memory file"
