"""A short attack on the worker's own sandbox, when the worker starts: a sandbox that lets it through is not used."""

from services.worker.selftest.judge import try_sandbox

__all__ = ["try_sandbox"]
