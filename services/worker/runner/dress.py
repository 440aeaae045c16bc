"""Finds the architecture's state dict in what people save, or return, in its stead.

Much dress changes no value: a wrapper's prefix on the names (`module.`, `_orig_mod.`), a dict around the state dict,
the count of an averaged model, pruning's masks, another precision. It is taken off if then the names are exactly the
architecture's. So nobody guesses what was meant, and hours of work are not lost to a prefix. The rule is the same for
a notebook's checkpoints and for the models that modules return. Everything else is refused, and the names that do not
fit are told.

Tensors may be hostile: shapes are compared with the architecture's before anything is computed from them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.worker.runner import tensors
from services.worker.runner.tensors import BadTensors, Specs

__all__ = ["plain_arrays"]

# Modules that hold another one and nothing else: DataParallel, torch.compile, fully sharded, checkpointed activations.
WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
AVERAGED = "n_averaged"  # how many models torch's AveragedModel has averaged
BUFFERS = {"running_mean", "running_var", "num_batches_tracked"}
MAX_NAMED = 4
MAX_NAME = 100  # characters
MAX_DEPTH = 3  # of dicts around a state dict
MAX_PREFIX = 4  # parts
LARGEST_EXACT = 2**53  # up to which a float64 holds every integer
# What is attached to a model, told by names that do not fit, and how to take it off.
ATTACHED = (
    (
        re.compile(r"\.parametrizations\."),
        "a parametrization is attached; call torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')",
    ),
    (
        re.compile(r"weight_u\Z"),
        "spectral_norm is attached; call torch.nn.utils.remove_spectral_norm(layer)",
    ),
    (
        re.compile(r"weight_[gv]\Z"),
        "weight_norm is attached; call torch.nn.utils.remove_weight_norm(layer)",
    ),
    (
        re.compile(r"_(orig|mask)\Z"),
        "pruning is attached; call torch.nn.utils.prune.remove(layer, 'weight')",
    ),
)
NOT_A_PARAMETER = "named_parameters() leaves out buffers, so take state_dict()"


def plain_arrays(found: Any, specs: Specs, *, remedy: str) -> dict[str, NDArray[Any]]:
    """Return the architecture's tensors in its dtypes.

    Raises BadTensors, which names what does not fit, and then what to do: `remedy`, unless something better is known.
    """
    state = _fitting(_as_dict(found, remedy), specs, remedy)
    return {name: _array(state[name], name, *specs[name]) for name in specs}


def _as_dict(found: Any, remedy: str) -> dict[Any, Any]:
    """Read a list of names and tensors, as named_parameters() gives, like a dict."""
    if isinstance(found, Mapping):
        return dict(found)
    if isinstance(found, list | tuple):
        pairs = (pair for pair in found if isinstance(pair, list | tuple) and len(pair) == 2)
        named = {name: value for name, value in pairs if _is_name(name)}
        if named and len(named) == len(found):
            return named
        unnamed = sum(isinstance(value, torch.Tensor) for value in found)
        if unnamed:
            raise BadTensors(f"it holds a {type(found).__name__} of {unnamed:,} tensors without names; {remedy}")
    raise BadTensors(f"it holds a {type(found).__name__}, not a state dict; {remedy}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _fitting(outer: dict[Any, Any], specs: Specs, remedy: str) -> dict[str, Any]:
    """Find the one state dict with exactly the architecture's names. Raises BadTensors."""
    fits: dict[str, dict[str, Any]] = {}
    closest: dict[Any, Any] = outer
    for place, inner in _dicts(outer):
        for names in _renamings(inner):
            renamed = dict(zip(names, inner.values(), strict=True))
            if len(renamed) < len(inner):
                continue  # two tensors would get one name
            plain = _without_masks(renamed, specs)
            if plain.keys() == specs.keys():
                fits.setdefault(place, plain)
            elif len(plain.keys() & specs.keys()) > len(closest.keys() & specs.keys()):
                closest = plain
    if len(fits) > 1 and "" not in fits:
        raise BadTensors(f"it holds {len(fits)} state dicts, {_some(fits)}; save one of them alone")
    if not fits:
        raise BadTensors(_difference(closest, specs, remedy))
    return fits.get("") or next(iter(fits.values()))


def _dicts(outer: dict[Any, Any], place: str = "", depth: int = 0) -> Iterator[tuple[str, dict[Any, Any]]]:
    """Yield a dict, and the dicts in it, each with the keys that lead to it."""
    yield place, outer
    if depth < MAX_DEPTH:
        for key, value in outer.items():
            if isinstance(value, Mapping):
                yield from _dicts(dict(value), f"{place}[{str(key)[:MAX_NAME]!r}]", depth + 1)


def _renamings(state: dict[Any, Any]) -> Iterator[list[Any]]:
    """Yield the names of a dict, then those without wrappers, then those without the prefix that all have in common."""
    yield list(state)
    if not state or not all(_is_name(name) for name in state):
        return
    yield [_unwrapped(name) for name in state]
    names = list(state)
    counted = names.index(AVERAGED) if AVERAGED in state else None
    for _ in range(MAX_PREFIX):
        tails = [name if place == counted else name.partition(".")[2] for place, name in enumerate(names)]
        heads = {name.partition(".")[0] for place, name in enumerate(names) if place != counted}
        if len(heads) != 1 or not all(tails):
            return
        yield tails
        names = tails


def _unwrapped(name: str) -> str:
    """Remove the parts of a name that stand for wrappers, wherever they are: a part of a model may be wrapped."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _without_masks(state: dict[Any, Any], specs: Specs) -> dict[Any, Any]:
    """Drop the count of an averaged model, and multiply pruned tensors by their masks, as torch's prune.remove does."""
    plain = {name: value for name, value in state.items() if name != AVERAGED or name in specs}
    for name, (_, shape) in specs.items():
        if name not in plain and {f"{name}_orig", f"{name}_mask"} <= plain.keys():
            value, mask = plain[f"{name}_orig"], plain[f"{name}_mask"]
            if _is_plain(value, shape) and _is_plain(mask, shape) and bool(((mask == 0) | (mask == 1)).all()):
                del plain[f"{name}_orig"], plain[f"{name}_mask"]
                plain[name] = value.detach() * mask.detach().to(value.dtype)
    return plain


def _is_plain(value: Any, shape: tuple[int, ...]) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and not value.is_quantized
        and tuple(value.shape) == shape
    )


def _difference(found: dict[Any, Any], specs: Specs, remedy: str) -> str:
    """Say which names are missing and which are too many, and what to do."""
    missing = sorted(specs.keys() - found.keys())
    extra = sorted(map(str, found.keys() - specs.keys()))
    parts = []
    if len(missing) == len(specs):
        parts.append(f"it has none of the architecture's {len(specs)} tensors, such as {missing[0]}")
    elif len(missing) == 1:
        parts.append(f"tensor {missing[0]} is missing")
    elif missing:
        parts.append(f"{len(missing)} of {len(specs)} tensors are missing: {_some(missing)}")
    if len(extra) == 1:
        parts.append(f"{extra[0][:MAX_NAME]} is not part of the architecture")
    elif extra:
        parts.append(f"{len(extra):,} names are not part of the architecture: {_some(extra)}")
    return f"{', and '.join(parts)}; {_hint(missing, extra) or remedy}"


def _hint(missing: list[str], extra: list[str]) -> str | None:
    """Name the likely reason, if the names show one."""
    for pattern, hint in ATTACHED:
        if any(pattern.search(name) for name in extra):
            return hint
    if missing and not extra and all(name.rpartition(".")[2] in BUFFERS for name in missing):
        return NOT_A_PARAMETER
    return None


def _some(names: Any) -> str:
    shown = ", ".join(str(name)[:MAX_NAME] for name in list(names)[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED:,} more"


def _array(value: Any, name: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Convert one tensor to the expected dtype: floats of any precision, but only integers for integers."""
    wanted = tensors.numpy_dtype(dtype)
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        raise BadTensors(f"{name} is not a plain tensor")
    if tuple(value.shape) != shape:
        raise BadTensors(f"tensor {name} has shape {list(value.shape)}; the architecture has {list(shape)}")
    if value.is_complex() or not _is_of_kind(value, wanted):
        raise BadTensors(f"tensor {name} is {value.dtype}; the architecture has {wanted}")
    plain = value.detach().cpu()
    numbers = plain.float() if plain.dtype is torch.bfloat16 else plain  # which numpy lacks
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused for that
        array: NDArray[Any] = numbers.contiguous().numpy().astype(wanted, copy=False)
    return array


def _is_of_kind(value: torch.Tensor, wanted: np.dtype[Any]) -> bool:
    """Tell whether a tensor holds floats, or integers, as wanted; averaged counters are whole numbers in floats."""
    if value.is_floating_point() and wanted.kind != "f":
        numbers = value.detach().double()
        return bool(((numbers == numbers.trunc()) & (numbers.abs() < LARGEST_EXACT)).all())
    return value.is_floating_point() == (wanted.kind == "f")
