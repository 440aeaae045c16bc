"""Runs a notebook as the 2023 competition did: every cell in order, in one kernel, in Kaggle's directory layout.

Theory of operation. The kernel runs the participant's code; this process only drives it. It first removes the outputs
of earlier runs, so that a failed run cannot show old results as its own. Text that cells print goes to standard error
at once. The output directory gets the executed notebook, with shortened outputs, and a note if the run failed; the
supervisor uses only their text.

This process handles no signal. It is the first one of its container, so the kernel then drops every signal but SIGKILL
and SIGSTOP, and these, too, unless they come from outside. If a signal ended it, somebody outside sent that.

    {"ready": true}, then {"exit": 0, "peak_memory_bytes": B}; with {"exit": 64} there is a note
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from services.core.text import shortened, tidy
from services.worker.runner import cuda_stand_in
from services.worker.runner.guard import guard_process
from services.worker.runner.memory import peak_bytes
from services.worker.runner.network import NO_NETWORK, wants_network

__all__ = ["cleared", "main"]

EXIT_FAILED = 64
PUT_INTO_CELLS = "Put what the notebook needs into its cells."
MAX_NOTEBOOK_BYTES = 8 * 1024**2
MAX_OUTPUT_CHARACTERS = 20_000  # kept per output
KERNEL_ENVIRONMENT = {
    "ZIPOPT": "-0",  # weights do not compress, and deflating gigabytes of them takes minutes
    "KAGGLE_KERNEL_RUN_TYPE": "Batch",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the kernel's debugger warns of frozen modules otherwise
}
# The bars of tqdm.notebook are widgets, which Debian's versions cannot draw. This startup code makes them plain text.
STARTUP = """
import sys, types
from tqdm import std
plain = types.ModuleType("tqdm.notebook")
plain.tqdm = plain.tqdm_notebook = std.tqdm
plain.trange = plain.tnrange = std.trange
sys.modules["tqdm.notebook"] = plain
del sys, types, std, plain
"""
SCRATCH = Path("/tmp")  # noqa: S108 - in the container


def main() -> None:
    """Run the notebook and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submission", type=Path, required=True)
    parser.add_argument("--working", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--cuda-stand-in", action="store_true")
    arguments = parser.parse_args()
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    guard_process()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _report(reports, ready=True)
    os.environ.update(KERNEL_ENVIRONMENT, LETHE_SEEDS=str(arguments.seeds))
    _prepare_kernel()
    if arguments.cuda_stand_in:
        hook = SCRATCH / "cuda-stand-in"
        hook.mkdir()
        cuda_stand_in.hook_directory(hook)
        os.environ["PYTHONPATH"] = f"{hook}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    status = _execute(arguments)
    _report(reports, exit=status, peak_memory_bytes=peak_bytes(resource.getrusage(resource.RUSAGE_CHILDREN)))


def _prepare_kernel() -> None:
    """Write the code that the kernel runs before the first cell."""
    startup = SCRATCH / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "00-plain-bars.py").write_text(STARTUP)
    os.environ["IPYTHONDIR"] = str(SCRATCH / "ipython")


def cleared(notebook: dict[str, Any]) -> dict[str, Any]:
    """Remove the traces of earlier runs from a notebook: outputs and execution counts."""
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
        cell.get("metadata", {}).pop("execution", None)
    notebook.get("metadata", {}).pop("widgets", None)
    return notebook


def _execute(arguments: argparse.Namespace) -> int:
    import nbformat
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    out: Path = arguments.out
    try:
        uploaded = json.loads((arguments.submission / "notebook.ipynb").read_bytes())
        notebook = nbformat.reads(json.dumps(cleared(uploaded)), as_version=4)
    except Exception as error:
        _note(out, "rejected", tidy(str(error)))
        return EXIT_FAILED
    client = _client(notebook, arguments.working)
    try:
        _run_cells(client)
    except CellExecutionError as error:
        _note(out, "exception", _traceback(notebook, error))
        return EXIT_FAILED
    except DeadKernelError:
        _note(out, "exception", "The kernel died. Look for crashes in native code, or for exit() in a cell.")
        return EXIT_FAILED
    finally:
        _keep(nbformat.writes(notebook), out / "executed.ipynb")
    return 0


def _run_cells(client: Any) -> None:
    """Run all cells, in a thread, because a client in the main thread would handle SIGINT and SIGTERM."""
    with ThreadPoolExecutor(1) as pool:
        # printed text arrives in messages, also that of subprocesses
        pool.submit(client.execute, stdout=subprocess.DEVNULL).result()


def _client(notebook: Any, working: Path) -> Any:
    """Create a client that shows the text that cells print while they run."""
    from nbclient import NotebookClient

    class Live(NotebookClient):  # type: ignore[misc]
        def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] == "stream":
                sys.stderr.write(msg["content"]["text"])
                sys.stderr.flush()
            return super().process_message(msg, cell, cell_index)

        def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
            """Ignore messages of widgets, such as tqdm's bars, because library versions disagree about them."""

    return Live(
        notebook,
        timeout=None,  # the supervisor enforces the time limit
        kernel_name="python3",
        resources={"metadata": {"path": str(working)}},
        store_widget_state=False,
    )


def _traceback(notebook: Any, error: Any) -> str:
    """Return the participant's traceback, and the number of its cell."""
    offline = ""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                text = "\n".join(output.traceback)
                offline = f"{NO_NETWORK} {PUT_INTO_CELLS}\n" if wants_network(text) else offline
                return tidy(text, where=f"Cell {number}:\n{offline}")
            if wants_network(output.get("text", "")):
                offline = f"{NO_NETWORK} {PUT_INTO_CELLS} Cell {number} asked for it.\n"
    return tidy(f"{error.ename}: {error.evalue}")


def _keep(text: str, place: Path) -> None:
    """Write the executed notebook with shortened outputs, or without outputs if it is still too large."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["outputs"] = [_capped(output) for output in cell.get("outputs", [])] if "outputs" in cell else []
        if cell["cell_type"] != "code":
            del cell["outputs"]
    data = json.dumps(notebook).encode()
    if len(data) > MAX_NOTEBOOK_BYTES:
        data = json.dumps(cleared(notebook)).encode()
    if len(data) <= MAX_NOTEBOOK_BYTES:
        place.write_bytes(data)


def _capped(output: dict[str, Any]) -> dict[str, Any]:
    text = output.get("text")
    if isinstance(text, list):
        text = "".join(text)
    if isinstance(text, str):
        output["text"] = shortened(text, MAX_OUTPUT_CHARACTERS)
    return output


def _note(out: Path, kind: str, message: str) -> None:
    (out / "note").write_text(json.dumps({"kind": kind, "message": message}))


def _report(reports: Any, **message: object) -> None:
    reports.write(json.dumps(message) + "\n")
    reports.flush()


if __name__ == "__main__":
    main()
