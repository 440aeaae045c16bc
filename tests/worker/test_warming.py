"""What is imported before the first fork, each time in a fresh Python."""

import subprocess
import sys
from pathlib import Path

import pytest

TOLD = """
import sys
from pathlib import Path
from services.worker.runner.warming import warm_up

warm_up(Path(sys.argv[1]), trains="trains" in sys.argv)
print("torch._dynamo" in sys.modules, "pandas" in sys.modules or "PIL" in sys.modules)
"""


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"submission.py": "import torch\n"}, "False False"),
        (
            {"submission.py": "import torch\n\ndef unlearning(net, *_):\n    torch.optim.SGD(net.parameters())\n"},
            "True",
        ),
        ({"submission.py": "import mine.core\n", "mine/core.py": "from torch import optim\n"}, "True"),
        ({"submission.py": "import PIL\n"}, "False True"),
        ({"submission.py": "\0 = no Python"}, "False False"),
    ],
    ids=["neither", "optimizer", "optimizer elsewhere", "package", "no Python"],
)
def test_only_what_a_submission_names_is_imported(files: dict[str, str], found: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-c", TOLD, str(tmp_path / "submission.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith(found)


def test_where_the_trainer_runs_an_entry_does_not_choose_whether_it_starts_slowly(tmp_path: Path) -> None:
    (tmp_path / "submission.py").write_text("import torch\n")
    command = [sys.executable, "-c", TOLD, str(tmp_path / "submission.py"), "trains"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("True False")
