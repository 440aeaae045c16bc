"""Cells for a container of its own in which the launcher is root: one seed cannot reach, or count, another.

What all seeds of the container could share is frozen or taken out of sight first: benchmark files that other sandboxes
have open, cgroup files, the host's counters in /proc, the times of device files.
"""

import contextlib
import errno
import os
import random
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

from services.core.processes import end_with_parent
from services.worker.runner.cells import Shelf, Takings
from services.worker.runner.kernel import (
    MS_BIND,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REMOUNT,
    become,
    end_idle_threads,
    mount,
    new_ipc,
    new_process_ids,
    old_process_ids,
    unmount,
)

__all__ = ["IsolatedCells"]

OUT_INODES = 1000
SCRATCH_INODES = 65536
TMPFS = MS_NOSUID | MS_NODEV | MS_NOEXEC
FROZEN = TMPFS | MS_NOATIME
_PROC, _SYS, _DEV = Path("/proc"), Path("/sys"), Path("/dev")
_INIT = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "sleep", "infinity"]
_FIRST_USER, _LAST_USER = 2_000_000_000, 2_147_483_646  # ids that no host gives to its users
_MAX_SKIPPED_INODES = 2048
# Of /proc, programs need these; a seed sees them as they were when the launcher started. It sees nothing else there
# but its own processes.
_FROZEN = ("cpuinfo", "meminfo", "stat", "loadavg", "version", "filesystems", "swaps", "devices")
_FROZEN_SYS = (
    "kernel/osrelease",
    "kernel/ostype",
    "kernel/pid_max",
    "kernel/cap_last_cap",
    "vm/overcommit_memory",
    "vm/max_map_count",
    "fs/pipe-max-size",
)
_CPUS = tuple(f"devices/system/cpu/{name}" for name in ("online", "possible", "present", "kernel_max"))


class IsolatedCells:
    """Cells of one container in which this process is root and may mount."""

    def __init__(
        self,
        out: Path,
        shelf: Shelf,
        *,
        scratch: Sequence[Path],
        masks: Path,
        detached: Sequence[Path],
        code: Path,
        out_bytes: int,
        scratch_bytes: int,
        keep_devices: bool,
    ) -> None:
        """Prepare the container; from here on, the directories in `detached` cannot be seen any more.

        `code` becomes a copy, because other sandboxes mount the same files. `masks` is an empty tmpfs that only this
        process may read. With `keep_devices`, programs find a GPU's files in /proc and /sys.
        """
        self._out, self._shelf, self._scratch, self._masks = out, shelf, scratch, masks
        self._out_bytes, self._scratch_bytes, self._keep_devices = out_bytes, scratch_bytes, keep_devices
        self._own_ids = os.open(_PROC / "self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._users = _user_ids()
        self._random = random.SystemRandom()
        self._hidden = self._make_masks()
        for directory in detached:
            _hide(directory)
        _make_own(code)
        self._seal()
        end_idle_threads()
        self._init = self._out_opened = 0

    def open(self) -> None:
        """Mount fresh file systems and start an init process under new process ids."""
        self._user = self._random.choice(self._users)
        self._skip_inodes()
        owner = f"uid={self._user},gid={self._user}"
        _mount_tmpfs(self._out, self._out_bytes, OUT_INODES, f"mode=0700,{owner}")
        for directory in self._scratch:
            _mount_tmpfs(directory, self._scratch_bytes, SCRATCH_INODES, "mode=1777")
        self._out_opened = os.open(self._out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._freeze_uptime()
        new_process_ids()
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        streams = [nothing, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
        self._init = os.posix_spawnp(_INIT[0], _INIT, {"PATH": os.defpath}, file_actions=streams)

    def enter(self) -> None:
        """See only this cell's processes, and become its user."""
        mount("proc", _PROC, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        for mask, name in self._hidden:
            with contextlib.suppress(FileNotFoundError):
                mount(str(self._masks / mask), _PROC / name, None, MS_BIND)
        with contextlib.suppress(PermissionError):  # by our profile; gVisor has neither it nor NO_IPC
            new_ipc()
        os.setsid()
        os.chdir(self._scratch[0])
        _PROC.joinpath("self/oom_score_adj").write_text("1000")  # if memory is short, the seed ends, not the launcher
        become(self._user)
        end_with_parent()

    def end_processes(self) -> None:
        """End the init process, and the kernel ends everything else under its process ids."""
        os.kill(self._init, signal.SIGKILL)
        os.waitpid(self._init, 0)

    def take(self, token: str) -> Takings:
        """Copy from the output directory, which still stands when all its processes have ended."""
        usage = os.fstatvfs(self._out_opened)
        full = (usage.f_blocks and not usage.f_bfree) or (usage.f_files and not usage.f_ffree)
        checkpoint, bad = self._shelf.take(self._out_opened, token)
        return Takings(checkpoint, bad, full=bool(full))

    def close(self) -> None:
        """Unmount the cell's file systems, which ends them."""
        os.close(self._out_opened)
        for directory in (_PROC, self._out, *self._scratch):
            unmount(directory)
        old_process_ids(self._own_ids)

    def _make_masks(self) -> list[tuple[str, str]]:
        """Fill the masks; return which of them covers which entry of /proc."""
        (self._masks / "directory").mkdir()
        (self._masks / "file").touch()
        _copy_files(_PROC, _FROZEN, self._masks / "proc")
        _copy_files(_PROC / "sys", _FROZEN_SYS, self._masks / "sys")
        _copy_files(_SYS, _CPUS, self._masks / "cpus")
        self._freeze_uptime()
        kept = {"driver", "devices"} if self._keep_devices else set()
        hidden = [("directory", "1")]  # in gVisor every process may read another's
        for entry in os.scandir(_PROC):
            if entry.name.isdigit() or entry.is_symlink() or entry.name in kept:
                continue
            if (self._masks / "proc" / entry.name).exists():
                hidden.append((f"proc/{entry.name}", entry.name))
            elif entry.name == "sys":
                hidden.append(("sys", "sys"))
            else:
                hidden.append(("directory" if entry.is_dir() else "file", entry.name))
        return hidden

    def _seal(self) -> None:
        """Hide or freeze what all seeds of this container could write to or count with."""
        if not self._keep_devices:
            mount("tmpfs", _SYS, "tmpfs", FROZEN, "mode=0755")
            (_SYS / "class/net/lo").mkdir(parents=True)
            shutil.copytree(self._masks / "cpus", _SYS, dirs_exist_ok=True)
            _freeze(_SYS)
        for path in ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf"):  # they tell when the container began
            with contextlib.suppress(OSError):
                unmount(Path(path))
        for directory in (_DEV / "mqueue", _DEV / "pts", _DEV):  # device files themselves can still be written
            with contextlib.suppress(OSError):
                mount("none", directory, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC)

    def _freeze_uptime(self) -> None:
        uptime = self._masks / "proc/uptime"
        uptime.write_text(f"{time.clock_gettime(time.CLOCK_BOOTTIME):.2f} 0.00\n")

    def _skip_inodes(self) -> None:
        """Use up a random number of the host's inode numbers, so that they do not tell what an earlier seed used."""
        for _ in range(self._random.randrange(_MAX_SKIPPED_INODES // 2)):
            for end in socket.socketpair():
                end.close()


def _mount_tmpfs(target: Path, size: int, inodes: int, options: str) -> None:
    """Mount a file system in memory with bounds; gVisor of 2022 cannot bound the number of files."""
    try:
        mount("tmpfs", target, "tmpfs", TMPFS, f"size={size},nr_inodes={inodes},{options}")
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        mount("tmpfs", target, "tmpfs", TMPFS, f"size={size},{options}")


def _hide(directory: Path) -> None:
    """Take a mounted directory away; in gVisor it can still be seen below, so cover it."""
    unmount(directory)
    mount("tmpfs", directory, "tmpfs", FROZEN | MS_RDONLY, "mode=0700")


def _make_own(code: Path) -> None:
    """Put a copy in the place of a mounted directory of Python files."""
    files = {path.relative_to(code): path.read_bytes() for path in code.rglob("*.py")}
    unmount(code)
    mount("tmpfs", code, "tmpfs", FROZEN, "mode=0755")
    for name, data in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_bytes(data)
    _freeze(code)


def _freeze(target: Path) -> None:
    """Make a file system in memory read-only; gVisor of 2022 cannot, but there, too, only root may write to it."""
    try:
        mount("tmpfs", target, None, MS_REMOUNT | MS_RDONLY | FROZEN)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def _copy_files(source: Path, names: Sequence[str], target: Path) -> None:
    """Copy the files that can be read."""
    target.mkdir()
    for name in names:
        with contextlib.suppress(OSError):
            data = (source / name).read_bytes()
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)


def _user_ids() -> range:
    """Return the user ids of seeds: far from those of people, or the upper half of what a remapped engine allows."""
    first, _, count = (int(field) for field in (_PROC / "self/uid_map").read_text().split()[:3])
    last = first + count - 1
    return range(_FIRST_USER, _LAST_USER) if last > _LAST_USER else range(last // 2, last - 1000)
