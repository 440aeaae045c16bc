"""The Docker sandbox: one container per sandboxed process, with only the spec's mounts in it.

A container has no network, a read-only root, an unprivileged user, no capabilities, no new privileges, and an
allow-list of system calls (`profile.py`). It has limits on memory (including swap), CPUs, processes, file size and
scratch space, and private IPC without System V or POSIX queues, which would outlive a seed. It has no engine socket,
and the engine keeps no log. A label identifies orphans.

A launcher is the exception: it is root in its container, with the few capabilities that make a cell for each seed. No
participant's code runs in it, and the seeds' processes have given up all of them. AppArmor's profile for containers
forbids to mount, so it does not apply to launchers.
"""

import contextlib
import os
import platform
import queue
import signal
import socket
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
import requests
import structlog
from docker.errors import DockerException, NotFound
from docker.types import DeviceRequest, LogConfig, Ulimit
from docker.utils.socket import SocketError, frames_iter

from services.worker.sandbox.base import ON_GPU, Exited, Mount, Output, Sandboxed, SandboxUnavailable, Spec, Streams
from services.worker.sandbox.engine import open_engine
from services.worker.sandbox.profile import profile_digest, seccomp_profile

__all__ = ["DockerSandbox"]

log = structlog.get_logger()

CODE = "/lethe/code"
LABEL_WORKER, LABEL_LEASE = "org.lethe.worker", "org.lethe.lease"
STDERR = 2
SCRATCH = ("/tmp", "/dev/shm")  # noqa: S108 - tmpfs in the container
OUT, MASKS = "/lethe/out", "/lethe/masks"  # tmpfs in a launcher's container
ROOT, NOBODY = "0:0", 65534
STOP_SIGNAL = "SIGKILL"  # of `docker stop`: nothing in a container has anything to tidy up
# In containers of these runtimes the host's kernel keeps every signal from inside away from the first process, which
# handles none. gVisor delivers them.
ON_THE_HOSTS_KERNEL = {"runc", "crun", "nvidia", "io.containerd.runc.v2"}
# mount and new process ids; another user for each seed; end its processes; read files that only their owner may read
LAUNCHER_CAPABILITIES = ["SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "KILL", "DAC_OVERRIDE"]
# Shared memory, semaphores and queues outlive the process that created them, so a seed could leave a message in them.
NO_IPC = {"kernel.shmmni": "0", "kernel.msgmni": "0", "kernel.sem": "0 0 0 0", "fs.mqueue.queues_max": "0"}


class DockerSandbox:
    """Runs sandboxes on the engine that DOCKER_HOST names, or on the local one."""

    name = "docker"
    has_file_system = True

    def __init__(self, image: str, code: Path, worker: str, runtime: str = "") -> None:
        try:
            self._engine = open_engine()
            self._image_id = str(self._engine.inspect_image(image)["Id"])
            engine = self._engine.info()
            self._has_apparmor = any("apparmor" in option for option in engine.get("SecurityOptions") or ())
            self._is_first_safe = (runtime or engine["DefaultRuntime"]) in ON_THE_HOSTS_KERNEL
        except NotFound as error:
            self._engine.close()
            raise SandboxUnavailable(f"The image {image} does not exist. Build it with `make setup`.") from error
        except DockerException as error:
            raise SandboxUnavailable(
                f"No Docker engine answers: {error}. Start Docker, or run `lethe doctor` for a diagnosis."
            ) from error
        self._image = image
        self._code = code
        self.versions: dict[str, str] = {}
        self.self_test = "not run"
        self._worker = worker
        self._runtime = runtime

    def start(self, spec: Spec) -> Sandboxed:
        """Start a container. Raises SandboxUnavailable."""
        labels = {LABEL_WORKER: self._worker, LABEL_LEASE: spec.label}
        try:
            container = self._engine.create_container(
                spec.image or self._image_id,
                command=["python3", "-P", "-m", spec.module, *_arguments(spec)],
                environment=_environment(spec),
                user=_user(spec),
                working_dir="/tmp",  # noqa: S108
                stdin_open=True,
                stop_signal=STOP_SIGNAL,
                network_disabled=True,
                labels=labels,
                host_config=self._host_config(spec),
            )
            # if it cannot start, the next sweep removes it
            return _Container(self._engine, str(container["Id"]), spec, is_first_safe=self._is_first_safe)
        except (DockerException, requests.RequestException) as error:
            raise SandboxUnavailable(
                f"The Docker engine could not start a sandbox: {error}. Run `lethe doctor` for a diagnosis."
            ) from error

    def answers(self) -> bool:
        """Tell whether the engine answers."""
        with contextlib.suppress(DockerException, requests.RequestException):
            return bool(self._engine.ping())
        return False

    def has_image(self, image_id: str) -> bool:
        """Tell whether the engine has an image."""
        with contextlib.suppress(DockerException, requests.RequestException):
            return bool(self._engine.inspect_image(image_id)["Id"] == image_id)
        return False

    def size_bytes(self) -> int:
        """Return the size of its own image."""
        return int(self._engine.inspect_image(self._image_id)["Size"])

    def end_orphans(self, live: set[str]) -> int:
        """Remove this worker's containers with leases that are not in `live`; return their number."""
        found = self._engine.containers(all=True, filters={"label": f"{LABEL_WORKER}={self._worker}"})
        orphans = [container["Id"] for container in found if container["Labels"].get(LABEL_LEASE) not in live]
        for container in orphans:
            with contextlib.suppress(NotFound):
                self._engine.remove_container(container, force=True, v=True)
        return len(orphans)

    def close(self) -> None:
        """Disconnect from the engine."""
        self._engine.close()

    def provenance(self) -> dict[str, str]:
        """Describe image, runtime and machine."""
        return {
            "sandbox": self.name,
            "image": self._image,
            "image_id": self._image_id,
            "runtime": self._runtime or "default",
            "profile": profile_digest(),
            "self_test": self.self_test,
            "machine": platform.machine(),
        } | self.versions

    def _security(self, spec: Spec) -> list[str]:
        profile = seccomp_profile(launcher=spec.launcher, loopback=spec.loopback, gpu=spec.gpu_uuid is not None)
        unconfined = ["apparmor=unconfined"] if spec.launcher and self._has_apparmor else []
        return ["no-new-privileges", f"seccomp={profile}", *unconfined]

    def _host_config(self, spec: Spec) -> dict[str, Any]:
        limits = spec.limits
        mounts = [Mount(self._code, CODE), *spec.mounts]  # a source may have several targets
        binds = [f"{mount.source}:{mount.target}:{'rw' if mount.writable else 'ro'}" for mount in mounts]
        host_config: dict[str, Any] = self._engine.create_host_config(
            binds=binds,
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            cap_add=LAUNCHER_CAPABILITIES if spec.launcher else None,
            security_opt=self._security(spec),
            ipc_mode="private",
            shm_size=limits.scratch_bytes,
            sysctls=NO_IPC,
            tmpfs=_tmpfs(spec),
            mem_limit=limits.memory_bytes,
            memswap_limit=limits.memory_bytes,
            nano_cpus=limits.cpus * 10**9,
            pids_limit=limits.processes,
            ulimits=[
                Ulimit(name="fsize", soft=limits.file_bytes, hard=limits.file_bytes),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="nofile", soft=4096, hard=4096),
            ],
            log_config=LogConfig(type="none"),
            runtime=self._runtime or None,
            device_requests=_gpu(spec.gpu_uuid),
        )
        return host_config


class _Container:
    def __init__(self, engine: docker.APIClient, container: str, spec: Spec, *, is_first_safe: bool) -> None:
        self._engine = engine
        self._container = container
        self._is_first_safe = is_first_safe
        self._streams = Streams(spec.limits.log_bytes, spec.on_log)
        attached = engine.attach_socket(container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        self._socket: socket.socket = attached._sock  # its SocketIO wrapper can only read or only write
        self._attached = attached
        self._reader = threading.Thread(target=self._read, daemon=True)
        try:
            engine.start(container)
        except BaseException:
            self._let_go()
            raise
        self._reader.start()

    @property
    def outputs(self) -> "queue.Queue[Output]":
        return self._streams.outputs

    def send(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(line + b"\n")

    def check(self) -> None:
        """Do nothing, because the kernel enforces a container's limits."""

    def out_of_memory(self) -> bool:
        with contextlib.suppress(DockerException, requests.RequestException):
            return bool(self._engine.inspect_container(self._container)["State"]["OOMKilled"])
        return False

    def log_tail(self) -> str:
        return self._streams.log_tail()

    def end(self) -> None:
        # First close the socket: an engine that cannot deliver output hangs when it kills the container.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._engine.remove_container(self._container, force=True, v=True)
        except NotFound:
            pass
        except (DockerException, requests.RequestException) as error:
            log.warning("container_not_removed", error=str(error), remedy="the next sweep removes it")
        self._reader.join(timeout=5)
        self._let_go()

    def _let_go(self) -> None:
        self._attached._response.close()
        self._attached.close()
        self._socket.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, SocketError):
            for stream, data in frames_iter(self._attached, tty=False):
                (self._streams.feed_log if stream == STDERR else self._streams.feed_output)(data)
        self._streams.outputs.put(self._ending())

    def _ending(self) -> Exited:
        try:
            status = int(self._engine.wait(self._container, timeout=10)["StatusCode"])
            is_killed = status == 128 + signal.SIGKILL and self._is_first_safe
            from_outside = is_killed or self._was_ended_by_the_engine()
        except (DockerException, requests.RequestException):
            status, from_outside = 128 + signal.SIGKILL, True  # the engine is away, and its containers with it
        return Exited(128 - status if status > 128 else status, self.out_of_memory(), from_outside)

    def _was_ended_by_the_engine(self) -> bool:
        """Tell whether somebody asked the engine to end the container: the engine keeps its latest events."""
        finished = self._engine.inspect_container(self._container)["State"]["FinishedAt"]
        filters = {"container": self._container, "event": "kill"}
        until = datetime.fromisoformat(finished).timestamp()  # with a fraction, which the engine understands
        events = self._engine.events(since=1, until=until, filters=filters)  # type: ignore[call-overload]
        with contextlib.closing(events):
            return any(events)


def _arguments(spec: Spec) -> list[str]:
    arguments = [part.target if isinstance(part, Mount) else part for part in spec.arguments]
    if not spec.launcher:
        return arguments
    scratch = [word for directory in SCRATCH for word in ("--scratch", directory)]
    devices = ["--keep-devices"] if spec.gpu_uuid else []
    return [*arguments, *scratch, "--scratch-bytes", str(spec.limits.scratch_bytes), "--masks", MASKS, *devices]


def _tmpfs(spec: Spec) -> dict[str, str]:
    """Mount temporary files, and in a launcher's container also the places of its cells."""
    mounts = {"/tmp": f"size={spec.limits.scratch_bytes},mode=1777,nosuid,nodev"}  # noqa: S108
    if spec.launcher:
        mounts |= {OUT: "size=64k,mode=0755", MASKS: "size=4m,mode=0700,noatime"}
    return mounts


def _gpu(uuid: str | None) -> list[DeviceRequest] | None:
    return [DeviceRequest(device_ids=[uuid], capabilities=[["gpu"]])] if uuid else None


def _environment(spec: Spec) -> dict[str, str]:
    return {
        "PYTHONPATH": CODE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108
        "OMP_NUM_THREADS": str(spec.limits.cpus),
        "OPENBLAS_NUM_THREADS": str(spec.limits.cpus),
        "OMP_WAIT_POLICY": "passive",
    } | (ON_GPU if spec.gpu_uuid else {})


def _user(spec: Spec) -> str:
    """Return the spec's user, or Lethe's own if it is unprivileged, because that one owns the mounts."""
    if spec.launcher:
        return ROOT
    if os.geteuid() != 0:
        return f"{os.geteuid()}:{os.getegid()}"
    return f"{spec.user}:{spec.user}" if spec.user is not None else f"{NOBODY}:{NOBODY}"
