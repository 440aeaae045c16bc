"""Part `device`: which machine this is, and that the device computes."""

import os
import platform
import shutil
import subprocess

import torch

from benches.gpu_check.setting import Setting
from services.core.device import Device
from services.worker.slots import find_gpus

__all__ = ["see"]

SIDE = 512


def see(setting: Setting) -> None:
    """Tell name, memory, driver and torch; multiply two matrices."""
    table = setting.table
    table.add("processor", f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}")
    table.add(
        "torch", torch.__version__, f"CUDA {torch.version.cuda or 'none'}, cuDNN {torch.backends.cudnn.version()}"
    )
    if setting.device is Device.GPU:
        _see_gpu(setting)
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(SIDE, SIDE, generator=generator) for _ in range(2))
    expected = first.double() @ second.double()
    found = (first.to(setting.torch_device) @ second.to(setting.torch_device)).cpu()
    error = float((found - expected).abs().max() / expected.abs().max())
    table.add("a product of matrices", f"error {error:.1e}", "float64 on the CPU", passed=error < 1e-4)


def _see_gpu(setting: Setting) -> None:
    gpus = find_gpus()
    setting.table.add("GPUs that a worker finds", str(len(gpus)), "nvidia-smi", passed=bool(gpus))
    if not torch.cuda.is_available():
        setting.table.add("GPU", "torch finds none", "check the driver, and that torch is built for CUDA", passed=False)
        raise SystemExit(1)
    told = torch.cuda.get_device_properties(0)
    setting.table.add("GPU", told.name, f"compute capability {told.major}.{told.minor}", passed=True)
    free, total = torch.cuda.mem_get_info(0)
    setting.table.add("GPU memory", f"{total / 2**30:.1f} GiB", f"{free / 2**30:.1f} GiB free", passed=free > total / 2)
    setting.table.add("driver", _driver(), f"CUDA {torch.version.cuda}")


def _driver() -> str:
    command = [shutil.which("nvidia-smi") or "nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.split("\n")[0].strip()
