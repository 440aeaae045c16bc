"""Mount, unmount, move or remount anything, by the old calls and by the new ones."""

from tools import call

CALLS = {
    "mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "bind": (165, b"/etc", b"/tmp", 0, 4096, 0),
    "remount": (165, b"none", b"/", 0, 33, 0),
    "umount": (166, b"/tmp", 2),
    "pivot_root": (155, b"/tmp", b"/tmp"),
    "chroot": (161, b"/tmp"),
    "fsopen": (430, b"tmpfs", 0),
    "open_tree": (428, -100, b"/", 1),
    "move_mount": (429, -100, b"/", -100, b"/tmp", 0),
    "mount_setattr": (442, -100, b"/", 0, 0, 0),
}


def attempt():
    return [name for name, arguments in CALLS.items() if call(*arguments)[0] >= 0]
