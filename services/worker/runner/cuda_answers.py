"""The answers of `torch.cuda` if the CPU stands in: one device, one generator, streams that never wait."""

import os
import time
import types
from collections.abc import Callable, Iterable
from typing import Any

import torch

__all__ = ["answering", "cuda_answers"]

DEVICE_NAME = "CPU (standing in for CUDA)"
CAPABILITY = (7, 5)  # of the T4, the GPU of the 2023 competition

# Functions of torch.cuda that do nothing, and functions that return 0.
IDLE = """
_lazy_init empty_cache init ipc_collect reset_accumulated_memory_stats reset_max_memory_allocated
reset_max_memory_cached reset_peak_memory_stats set_device set_per_process_memory_fraction set_stream synchronize
"""
ZERO = """
current_device max_memory_allocated max_memory_cached max_memory_reserved memory_allocated memory_cached memory_reserved
memory_usage utilization
"""


def cuda_answers() -> dict[str, Any]:
    """Return the replacement for each name of `torch.cuda`."""
    generator = torch.default_generator
    return {
        **{name: answering(None) for name in IDLE.split()},
        **{name: answering(0) for name in ZERO.split()},
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "is_bf16_supported": lambda *_, **__: False,
        "is_current_stream_capturing": lambda: False,
        "device_count": lambda: 1,
        "get_device_properties": lambda device=None: _properties(),
        "get_arch_list": lambda: [],
        "mem_get_info": lambda device=None: (_memory("SC_AVPHYS_PAGES"), _memory("SC_PHYS_PAGES")),
        "memory_stats": lambda device=None: {},
        "memory_snapshot": lambda: [],
        "memory_summary": lambda device=None, abbreviated=False: "",
        "list_gpu_processes": lambda device=None: "",
        "manual_seed": lambda seed: _seed(int(seed)),
        "manual_seed_all": lambda seed: _seed(int(seed)),
        "seed": lambda: _seed(None),
        "seed_all": lambda: _seed(None),
        "initial_seed": lambda: generator.initial_seed(),  # noqa: PLW0108
        "get_rng_state": lambda device=None: generator.get_state(),
        "get_rng_state_all": lambda: [generator.get_state()],
        "set_rng_state": lambda new_state, device=None: _restore([new_state]),
        "set_rng_state_all": lambda new_states: _restore(new_states),  # noqa: PLW0108
        "device": _Anywhere,
        "device_of": type("device_of", (_Anywhere,), {}),
        "stream": _OnStream,
        "Event": _Event,
        "Stream": _Stream,
        "current_stream": lambda device=None: _Stream(),
        "default_stream": lambda device=None: _Stream(),
    }


def answering(answer: Any) -> Callable[..., Any]:
    """Make a function of any arguments. torch 2 looks functions up by identity, so each name needs a new one."""
    return lambda *_, **__: answer


def _seed(seed: int | None) -> None:
    if seed is None:
        torch.default_generator.seed()
    else:
        torch.default_generator.manual_seed(seed)


def _restore(states: Iterable[torch.Tensor]) -> None:
    for state in states:
        torch.default_generator.set_state(state)


def _memory(pages: str) -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf(pages)


def _properties() -> types.SimpleNamespace:
    return types.SimpleNamespace(
        name=DEVICE_NAME,
        major=CAPABILITY[0],
        minor=CAPABILITY[1],
        total_memory=_memory("SC_PHYS_PAGES"),
        multi_processor_count=os.cpu_count() or 1,
        is_integrated=0,
        is_multi_gpu_board=0,
    )


class _Anywhere:
    """`torch.cuda.device(index)`: a context that changes nothing, because there is only one device."""

    def __init__(self, device: Any = None) -> None:
        self.idx = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class _Stream:
    """`torch.cuda.Stream`: work is done when a call returns, so waiting returns at once."""

    device = torch.device("cuda", 0)
    device_index = 0
    cuda_stream = 0
    priority = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def query(self) -> bool:
        return True

    def record_event(self, event: "_Event | None" = None) -> "_Event":
        recorded = _Event() if event is None else event
        recorded.record()
        return recorded

    synchronize = wait_event = wait_stream = answering(None)


class _OnStream:
    """`torch.cuda.stream(stream)`: a context that changes nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class _Event:
    """`torch.cuda.Event`: a moment of the wall clock."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._recorded_s = 0.0

    def record(self, stream: Any = None) -> None:
        self._recorded_s = time.perf_counter()

    def elapsed_time(self, end_event: "_Event") -> float:
        """Return the milliseconds from this event to a later one."""
        return (end_event._recorded_s - self._recorded_s) * 1000

    def query(self) -> bool:
        return True

    synchronize = wait = answering(None)
