"""Make a new namespace, or enter another one, with every call that can."""
# gvisor: gives everybody namespaces, of its own kernel

import os

from tools import call, parents

UNSHARE, SETNS, CLONE = 272, 308, 56
FLAGS = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)


def attempt():
    entered = []
    for flag in FLAGS:
        child = os.fork()
        if not child:
            os._exit(0 if call(UNSHARE, flag)[0] == 0 else 1)
        entered += [f"unshare {flag:x}"] if os.waitpid(child, 0)[1] == 0 else []
        made = call(CLONE, flag | 17, 0, 0, 0, 0)[0]
        if made == 0:
            os._exit(0)
        if made > 0:
            os.waitpid(made, 0)
            entered.append(f"clone {flag:x}")
    for process in parents():
        try:
            entered += [
                n
                for n in os.listdir(f"/proc/{process}/ns")
                if call(SETNS, os.open(f"/proc/{process}/ns/{n}", os.O_RDONLY), 0)[0] == 0
            ]
        except OSError:
            continue
    return entered
