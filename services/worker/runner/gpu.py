"""The GPU in a sandbox: who may use how much of its memory.

A process that has used CUDA cannot fork one that uses it, so the launcher never does; each seed starts CUDA anew, and
what it took is free when its process has ended. Slots that share a GPU divide its memory. A slot's share holds the
seed's tensors, and beside them the measurer with its data and what CUDA itself needs for both processes.
"""

import torch

__all__ = ["OutOfMemory", "allowed_fraction", "device_for", "share_gpu"]

MEASURER_BYTES = 3 * 1024**3  # of a slot's share: the measurer, and CUDA for it and the seed
MEASURER_PART = 0.25  # of a small share
OutOfMemory: type[Exception] = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)  # new name since 2.5


def device_for(*, gpu: bool) -> torch.device:
    """Return the GPU for a slot that has one; the CPU if torch is built for CPUs.

    Raises RuntimeError if torch is built for GPUs and finds none: the driver failed, or the container lacks the GPU.
    """
    if not gpu or not torch.backends.cuda.is_built():
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RuntimeError("This slot has a GPU, but torch finds none. Look at the driver and the container toolkit.")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # readings equal those of a CPU
    return torch.device("cuda")


def share_gpu(slots: int) -> None:
    """Refuse this process more memory of the GPU than a slot's share of it allows."""
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(allowed_fraction(total, slots))


def allowed_fraction(total_bytes: int, slots: int) -> float:
    """Return the fraction of a GPU's memory for the tensors of one seed, if `slots` slots share the GPU."""
    share = total_bytes / slots
    return (share - min(MEASURER_BYTES, MEASURER_PART * share)) / total_bytes
