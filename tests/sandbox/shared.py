"""Docker sandboxes that share everything with each other, to show that each attack between them would be seen.

They have the processes, the network and the System V and POSIX objects of a third container, nothing of the host's, and
their seeds are one user. What they share is gone with the third.
"""

from pathlib import Path
from typing import Any

from services.worker.sandbox.base import Spec
from services.worker.sandbox.docker import LABEL_WORKER
from tests.sandbox.opened import OpenDocker

__all__ = ["SharedDocker", "share_cells"]

HERE = Path(__file__).parent


class SharedDocker(OpenDocker):
    """A sandbox whose launchers' containers share their namespaces."""

    def __init__(self, image: str, code: Path, worker: str) -> None:
        super().__init__(image, code, worker)
        create = self._engine.create_container

        def networked(image_id: str, *, host_config: dict[str, Any], network_disabled: bool, **options: Any) -> Any:
            """Leave a joined network on, which has no way out either."""
            disabled = network_disabled and host_config["NetworkMode"] == "none"
            return create(image_id, host_config=host_config, network_disabled=disabled, **options)

        shareable = self._engine.create_host_config(ipc_mode="shareable", network_mode="none")
        holder = create(image, ["sleep", "infinity"], host_config=shareable, labels={LABEL_WORKER: worker})
        self._holder = str(holder["Id"])
        self._engine.start(self._holder)
        self._engine.create_container = networked  # type: ignore[method-assign, assignment]

    def _host_config(self, spec: Spec) -> dict[str, Any]:
        config = super()._host_config(spec)
        if not spec.launcher:
            return config
        joined = dict.fromkeys(("IpcMode", "PidMode", "NetworkMode"), f"container:{self._holder}")
        return config | joined | {"Sysctls": None, "ShmSize": None}

    def close(self) -> None:
        """End what they shared."""
        self._engine.remove_container(self._holder, force=True)
        super().close()


def share_cells(code: Path) -> None:
    """Change the staged code of the launcher so that it makes no cells."""
    shared = HERE.joinpath("shared_cells.py").read_text()
    code.joinpath("services/worker/runner/isolated.py").write_text(shared)
