"""Notebook submissions: the layout of 2023, a run of the whole notebook, and the intake of its checkpoints."""

from services.worker.notebooks.limits import Mode, NotebookLimits
from services.worker.notebooks.run import disk_needed, run_notebook

__all__ = ["Mode", "NotebookLimits", "disk_needed", "run_notebook"]
