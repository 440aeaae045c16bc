"""A stand-in for CUDA on hosts without a GPU: torch reports CUDA as available, and `cuda` devices are the CPU.

Notebooks of 2023 raise unless CUDA is available. If the organiser allows it, the sandbox puts `hook_directory` first
on PYTHONPATH; each Python process then patches torch right after importing it. The tables below list the functions that
are wrapped one by one; `cuda_answers.py` defines the answers of `torch.cuda`. Tensors and devices stay torch's own.

Limits:
- A tensor's `device` says cpu, and `is_cuda` is False; `torch.device("cuda")` stays a cuda device, so the two differ.
- Moving to cuda copies nothing: `x.to("cuda")` is `x`. Moving away by `.cpu()` or `.to("cpu")` does copy, because
  notebooks keep such snapshots of weights and train on; `.to(torch.device("cpu"))` does not copy, because this may be
  the device of a "cuda" tensor.
- There is one random generator, the CPU's, and `torch.cuda.manual_seed` seeds it. Draws differ from a GPU's.
- Autocast and gradient scaling are off, so such code runs in float32. Tensors that are explicitly cast to half
  precision can be stored and loaded, but old torch has hardly any operators for them on a CPU.
- There is always one device, for every index. Memory in use is reported as 0 bytes. `torch.version.cuda` is None.
- CUDA graphs, NVTX, NCCL, torch.distributed, torch.compile for cuda and custom kernels are not covered, nor is
  `Tensor.type()` without an argument, which names the CPU's types.
"""

import functools
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from services.worker.runner.cuda_answers import answering, cuda_answers

__all__ = ["hook_directory", "install"]

# Functions that take a device by keyword. Names that the installed torch lacks are skipped.
FACTORIES = """
arange as_tensor asarray bartlett_window blackman_window empty empty_like empty_permuted empty_quantized empty_strided
eye from_file full full_like hamming_window hann_window kaiser_window linspace logspace normal ones ones_like rand
rand_like randint randint_like randn randn_like randperm range scalar_tensor sparse_bsc_tensor sparse_bsr_tensor
sparse_compressed_tensor sparse_coo_tensor sparse_csc_tensor sparse_csr_tensor tensor tril_indices triu_indices zeros
zeros_like
"""
FACTORY_METHODS = "new new_empty new_empty_strided new_full new_ones new_tensor new_zeros"
TENSOR_TYPES = "BFloat16 Bool Byte Char Double Float Half Int Long Short"

HOOK = '''"""Installs the CUDA stand-in right after this process imports torch."""

import sys
from importlib.machinery import PathFinder


class TorchFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "torch":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                from services.worker.runner.cuda_stand_in import install

                install()

            spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, TorchFinder)
'''


def hook_directory(directory: Path) -> None:
    """Write `sitecustomize.py`, which installs the stand-in in each Python process that has `directory` on PYTHONPATH.

    `services` must be on PYTHONPATH too.
    """
    (directory / "sitecustomize.py").write_text(HOOK, encoding="utf-8")


def install() -> None:
    """Patch torch. Do nothing if CUDA is available, and so nothing the second time."""
    if torch.cuda.is_available():
        return
    _patch_default_device()
    _patch_cuda_module()
    _patch_factories()
    _patch_tensors()
    _patch_modules()
    _patch_precision()


def _on_cpu(device: Any) -> Any:
    """Return the CPU for any form of a cuda device, including an index; return anything else unchanged."""
    is_index = isinstance(device, int) and not isinstance(device, bool)
    is_name = isinstance(device, str) and device.split(":")[0] == "cuda"
    is_cuda = isinstance(device, torch.device) and device.type == "cuda"
    return torch.device("cpu") if is_index or is_name or is_cuda else device


def _patch(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Replace an attribute, if it exists, by the result of `wrap`."""
    original = getattr(owner, name, None)
    if original is None:
        return
    replacement = functools.wraps(original)(wrap(original))
    setattr(owner, name, replacement)
    if operator := torch.jit._builtins._find_builtin(original):
        torch.jit._builtins._register_builtin(replacement, operator)  # torch.jit.script finds operators by identity


def _by_keyword(original: Any) -> Any:
    """Map the keyword argument `device`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "device" in kwargs:
            kwargs["device"] = _on_cpu(kwargs["device"])
        return original(*args, **kwargs)

    return call


def _by_method_argument(original: Any) -> Any:
    """Map the device of a method, which may be its first argument or a keyword."""
    mapped = _by_keyword(original)
    return lambda self, *args, **kwargs: mapped(self, *map(_on_cpu, args[:1]), *args[1:], **kwargs)


def _patch_default_device() -> None:
    """Map `torch.set_default_device("cuda")` and `with torch.device("cuda")`, which torch 2 has."""
    if hasattr(torch, "set_default_device"):
        devices: Any = importlib.import_module("torch.utils._device")
        devices._device_constructors()  # caches its list of functions while they are still torch's own
        _patch(devices.DeviceContext, "__init__", _by_method_argument)


def _patch_factories() -> None:
    for name in FACTORIES.split():
        _patch(torch, name, _by_keyword)
    for name in ("fftfreq", "rfftfreq"):
        _patch(torch.fft, name, _by_keyword)
    _patch(torch, "load", _load)
    _replace_generator()


def _load(original: Any) -> Any:
    """Load to the CPU, including tensors saved from cuda, unless the caller gave a function or another device."""

    def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        location = "cpu" if map_location is None or isinstance(map_location, dict) else _on_cpu(map_location)
        return original(f, location, *args, **kwargs)

    return load


def _replace_generator() -> None:
    original = torch.Generator

    class AnyGenerator(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

    class Generator(metaclass=AnyGenerator):
        def __new__(cls, device: Any = "cpu") -> Any:
            return original(device=_on_cpu(device))

    Generator.__doc__ = original.__doc__
    torch.Generator = Generator  # type: ignore[misc]


def _patch_tensors() -> None:
    tensor: Any = torch.Tensor
    original_to = tensor.to
    for name in FACTORY_METHODS.split():
        _patch(tensor, name, _by_keyword)
    _patch(tensor, "to", _to)
    _patch(tensor, "cpu", lambda _: lambda self, **kwargs: original_to(self, "cpu", **kwargs).clone())
    _patch(tensor, "cuda", lambda _: lambda self, device=None, non_blocking=False, **kw: original_to(self, "cpu", **kw))
    _patch(tensor, "pin_memory", lambda _: lambda self, device=None: self)
    _patch(tensor, "record_stream", lambda _: answering(None))
    _patch(tensor, "type", _type)
    for name in TENSOR_TYPES.split():  # `torch.set_default_tensor_type` looks these names up, too
        setattr(torch.cuda, f"{name}Tensor", getattr(torch, f"{name}Tensor"))
    # `map_location=lambda storage, location: storage.cuda()` calls this.
    torch.storage._StorageBase.cuda = lambda self, *args, **kwargs: self  # type: ignore[method-assign]


def _to(original: Any) -> Any:
    mapped = _by_method_argument(original)

    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        moved = mapped(self, *args, **kwargs)
        asked = args[0] if args else kwargs.get("device")
        is_snapshot = isinstance(asked, str) and asked == "cpu" and moved is self
        return moved.clone() if is_snapshot else moved

    return to


def _type(original: Any) -> Any:
    def to_type(self: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        on_cpu = dtype.replace("torch.cuda.", "torch.") if isinstance(dtype, str) else dtype
        return original(self, on_cpu, *args, **kwargs)

    return to_type


def _patch_modules() -> None:
    _patch(torch.nn.Module, "to", _by_method_argument)
    # Without a device, DataParallel calls its module directly.
    parallel: Any = sys.modules["torch.nn.parallel.data_parallel"]
    parallel._get_available_device_type = lambda: None
    # A torch built for CUDA would pin the batches of loaders for its accelerator, which does not exist here.
    if hasattr(torch, "accelerator"):
        torch.accelerator.is_available = lambda: False


def _patch_precision() -> None:
    def autocast(original: Any) -> Any:
        def init(self: Any, device_type: str, dtype: Any = None, enabled: bool = True, *args: Any, **kw: Any) -> None:
            is_cuda = device_type == "cuda"
            original(self, device_type, None if is_cuda else dtype, enabled and not is_cuda, *args, **kw)

        return init

    def grad_scaler(original: Any) -> Any:
        return lambda self, *args, **kwargs: original(self, enabled=False)

    _patch(torch.autocast, "__init__", autocast)
    _patch(getattr(torch.amp, "GradScaler", torch.cuda.amp.GradScaler), "__init__", grad_scaler)


def _patch_cuda_module() -> None:
    modules = [torch.cuda, *(getattr(torch.cuda, name) for name in ("memory", "random", "streams"))]
    for name, answer in cuda_answers().items():
        for module in modules:
            if module is torch.cuda or hasattr(module, name):
                setattr(module, name, answer)
