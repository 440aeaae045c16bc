"""The measurer: reads checkpoints that participants' code wrote, and prints the readings that every metric needs.

Theory of operation. It is trusted code that reads hostile files, so it runs in a separate sandbox without a network and
with the hidden data and the checkpoints mounted read-only. Before it opens any checkpoint, it reports that it is ready,
with its versions. Then it answers one JSON line per request line:
    {"token": T}  ->  {"token": T, "reading": base64 safetensors, "checkpoint_sha256": hex}
                      {"token": T, "bad": why}
On a GPU, anything but a bad tensor ends it: after an error of CUDA no later answer could be believed, and memory may be
short because of others. The supervisor then starts a fresh one (`services/worker/measurers.py`).
A request may also ask for a stress reading, from the original of the model's run, with or without relearning:
    {"token": T, "stress": {"start": K, "relearn": true}}  ->  {..., "stress": base64 safetensors}
"""

import argparse
import base64
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.benchmarks.stressing import Labelled
from services.core.bundle import readings
from services.worker.runner import tensors
from services.worker.runner.gpu import device_for
from services.worker.runner.model import build_model, examples, load_state
from services.worker.runner.stage import Stage

__all__ = ["Measurer", "main"]

CHUNK = 1024  # images per forward pass


class Measurer:
    """A benchmark in memory, against which checkpoints are measured one after another."""

    def __init__(self, bundle: Path, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        self._model = build_model(bundle / "public" / "architecture.py").eval().to(self._device)
        self._expected = tensors.specs_of(tensors.load(str(bundle / "public" / "original.safetensors")))
        self._forget, self._forget_labels = examples(bundle / "public" / "forget.safetensors")
        self._retain, self._retain_labels = examples(bundle / "public" / "retain.safetensors")
        self._test, self._test_labels = examples(bundle / "hidden" / "test.safetensors")
        self._probe = tensors.load(str(bundle / "hidden" / "probe.safetensors"))["index"]
        splits = {"forget": self._forget, "retain": self._retain, "test": self._test}
        self._shown = {name: images.to(self._device) for name, images in splits.items()}  # the stage needs the others
        self._bundle = bundle
        self._stage: Stage | None = None  # made when it is first asked for

    def measure(self, checkpoint: Path, stress: dict[str, Any] | None = None) -> dict[str, Any]:
        """Measure one checkpoint. Raises BadTensors unless it is a finite model of the architecture."""
        state = tensors.load_untrusted(str(checkpoint), self._expected)
        load_state(self._model, state)
        arrays = readings.reading(
            forget_logits=self._logits("forget"),
            retain_logits=self._logits("retain"),
            test_logits=self._logits("test"),
            retain_labels=self._retain_labels.numpy(),
            test_labels=self._test_labels.numpy(),
            probe=self._probe,
        )
        digest = readings.checkpoint_sha256(state)
        arrays["checkpoint_sha256"] = np.frombuffer(bytes.fromhex(digest), dtype=np.uint8)
        arrays["weight_sketch"] = readings.weight_sketch(state)
        answer = {"reading": _written(arrays), "checkpoint_sha256": digest}
        if stress is not None:
            answer["stress"] = _written(self._stressed(state, **stress))
        return answer

    def _stressed(self, state: dict[str, NDArray[Any]], *, start: int, relearn: bool) -> dict[str, NDArray[Any]]:
        if self._stage is None:
            splits = {
                "forget": Labelled(self._forget, self._forget_labels),
                "retain": Labelled(self._retain, self._retain_labels),
                "test": Labelled(self._test, self._test_labels),
            }
            self._stage = Stage(self._bundle, splits)
        return self._stage.read(state, start=start, relearn=relearn)

    def _logits(self, split: str) -> NDArray[np.float32]:
        with torch.no_grad():
            chunks = torch.split(self._shown[split], CHUNK)
            logits = torch.cat([self._model(chunk).float() for chunk in chunks]).cpu().numpy()
        if not np.isfinite(logits).all():
            row = int(np.argwhere(~np.isfinite(logits).all(axis=1))[0, 0])
            raise tensors.BadTensors(f"the model's output on {split} example {row} is NaN or infinite")
        return np.asarray(logits, dtype=np.float32)


def main() -> None:
    """Measure checkpoints on request until standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--gpu", action="store_true", help="measure on the GPU, if torch is built for one")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = device_for(gpu=arguments.gpu)
    measurer = Measurer(arguments.bundle, device)
    _answer({"ready": {"python": platform.python_version(), "torch": torch.__version__}})
    for line in sys.stdin:
        request = json.loads(line)
        token = os.path.basename(request["token"])  # noqa: PTH119 - a name, not a path
        try:
            answer = measurer.measure(arguments.checkpoints / token, request.get("stress"))
        except tensors.BadTensors as error:
            answer = {"bad": str(error)}
        except Exception as error:  # a hostile file is in hand, so it is at fault, whatever it broke
            if device.type != "cpu":
                raise
            answer = {"bad": f"measuring it raised {type(error).__name__}"}
        _answer({"token": token, **answer})


def _written(arrays: dict[str, NDArray[Any]]) -> str:
    return base64.b64encode(tensors.encode(arrays)).decode()


def _answer(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
