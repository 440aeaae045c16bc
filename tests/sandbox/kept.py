"""Launchers that stay for the next submission, for a place in which each start takes long.

A launcher serves one submission after another as it serves one seed after another. It goes as soon as a seed is left
running in it, or it has reported anything else than the end of a seed. So most attacks meet a launcher that others have
attacked before; in other places each has one of its own.
"""

import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.worker.answers import parsed
from services.worker.sandbox.base import Output, OutputLine, Sandbox, Sandboxed, Spec

__all__ = ["KeptLaunchers"]


class KeptLaunchers:
    """A sandbox whose launchers stay, one for each label. Anything else is the real sandbox's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._kept: dict[str, _Kept] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    def start(self, spec: Spec) -> Sandboxed:
        """Lend the launcher that is there, or start one; start whatever is none."""
        if not spec.launcher:
            return self._sandbox.start(spec)
        kept = self._kept.get(spec.label)
        if kept is None or kept.is_busy:
            self._kept[spec.label] = kept = _Kept(self._sandbox.start(spec))
        return _Lent(kept)

    def close(self) -> None:
        """End all launchers."""
        for kept in self._kept.values():
            kept.process.end()


@dataclass
class _Kept:
    process: Sandboxed
    secret: bytes = b""
    is_busy: bool = True  # until it is ready, and while a seed runs

    def hear(self, output: Output, secret: bytes) -> Output:
        """Pass an output on, a report with the secret of whoever has the launcher now."""
        own, _, text = output.text.partition(b" ") if isinstance(output, OutputLine) else (b"", b"", b"")
        if own != self.secret:
            return output
        report = parsed(text)
        if "alive" not in report:
            self.is_busy = bool(report.get("out_of_memory"))
        return OutputLine(secret + b" " + text)


class _Outputs(queue.Queue[Output]):
    """The outputs of a launcher, as the borrower understands them."""

    def __init__(self, hear: Callable[[float | None], Output]) -> None:
        super().__init__()
        self._hear = hear

    def get(self, block: bool = True, timeout: float | None = None) -> Output:
        """Return what was put here, or what is heard."""
        try:
            return super().get(block=False)
        except queue.Empty:
            return self._hear(timeout if block else 0)


@dataclass
class _Lent:
    """A launcher in the hands of one submission."""

    kept: _Kept
    secret: bytes = b""
    outputs: _Outputs = field(init=False)

    def __post_init__(self) -> None:
        process = self.kept.process
        self.outputs = _Outputs(lambda timeout: self.kept.hear(process.outputs.get(timeout=timeout), self.secret))

    def send(self, line: bytes) -> None:
        """Send the secret to a new launcher, and any command; an old launcher is ready at once."""
        if self.secret:
            self.kept.is_busy = True
            self.kept.process.send(line)
            return
        self.secret = line
        if self.kept.secret:
            self.outputs.put(OutputLine(line + b' {"ready": true}'))
        else:
            self.kept.secret = line
            self.kept.process.send(line)

    def check(self) -> None:
        self.kept.process.check()

    def out_of_memory(self) -> bool:
        return self.kept.process.out_of_memory()

    def log_tail(self) -> str:
        return self.kept.process.log_tail()

    def end(self) -> None:
        """End it, unless it can serve the next submission."""
        if self.kept.is_busy:
            self.kept.process.end()
