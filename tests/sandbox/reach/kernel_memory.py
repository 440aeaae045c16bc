"""Read the kernel's memory, its symbols, its log or its keys."""

import os

FILES = (
    "kcore",
    "kmsg",
    "kallsyms",
    "keys",
    "key-users",
    "timer_list",
    "sched_debug",
    "slabinfo",
    "vmallocinfo",
    "iomem",
    "ioports",
    "config.gz",
    "modules",
    "sysrq-trigger",
    "mtrr",
    "acpi",
    "bus",
    "scsi",
    "interrupts",
    "cmdline",
)


def attempt():
    read = []
    for name in FILES:
        path = f"/proc/{name}"
        try:
            read += (
                [path]
                if (
                    os.listdir(path) if os.path.isdir(path) else os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 16)
                )
                else []
            )
        except OSError:
            continue
    return read
