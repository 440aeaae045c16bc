"""What a submission imports, and which of its calls need a GPU, read without running it."""

from pathlib import PurePosixPath

import pytest

from services.core.device import Device
from services.core.submission.cautions import warnings_for
from services.core.submission.file import check
from services.core.submission.imports import Imported, imported_names
from services.core.submission.source import Sources
from tests.core.uploads import SIGNATURE, make_zip


def names_in(files: dict[str, str], entry: str = "submission.py") -> list[Imported]:
    sources = {PurePosixPath(name): source.encode() for name, source in files.items()}
    return imported_names(PurePosixPath(entry), Sources(sources, sources.__getitem__))


def test_names_are_told_once_with_file_and_line() -> None:
    found = names_in(
        {
            "submission.py": "import os, torch.nn\nimport pkg.core\nfrom timm.models import x\n",
            "pkg/__init__.py": "",
            "pkg/core.py": "import torch\nfrom . import more\n\nimport peft\n",
            "pkg/more.py": "def f():\n    from einops import rearrange\n",
        }
    )

    assert found == [
        Imported("torch", "submission.py", 1, at_once=True),
        Imported("timm", "submission.py", 3, at_once=True),
        Imported("peft", "pkg/core.py", 4, at_once=False),
        Imported("einops", "pkg/more.py", 2, at_once=False),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import json\nfrom collections import abc",
        "try:\n    import timm\nexcept ImportError:\n    timm = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import timm",
        "import typing as t\nif t.TYPE_CHECKING:\n    import timm",
        "if __name__ == '__main__':\n    import wandb",
        "import helper",
        "from folder.part import x",
    ],
)
def test_names_that_need_not_be_installed_are_left_out(source: str) -> None:
    others = {
        "helper.py": "",
        "folder/part.py": "",
        "setup.py": "import setuptools",
        "tests/test_x.py": "import pytest",
    }

    assert names_in({"submission.py": source} | others) == []


def gpu_calls(body: str, head: str = "") -> tuple[str, ...]:
    source = f"{head}\n{SIGNATURE}:\n    {body}\n".encode()
    assert check("entry.zip", make_zip({"submission.py": source})).gpu_calls == check("submission.py", source).gpu_calls
    return check("submission.py", source).gpu_calls


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("net.cuda()", "`.cuda()`"),
        ("for x, y in retain_loader: net(x.cuda(non_blocking=True))", "`.cuda()`"),
        ("net.to('cuda')", '`to("cuda")`'),
        ("net.to('cuda:0')", '`to("cuda:0")`'),
        ("d = torch.device('cuda')", '`device("cuda")`'),
        ("d = device('cuda:1')", '`device("cuda:1")`'),
        ("x = torch.zeros(3, device='cuda')", '`device="cuda"`'),
        ("x = torch.load('x', map_location='cuda')", '`map_location="cuda"`'),
        ("x = torch.zeros(3, device=f'cuda:{gpu}')", '`device="cuda"`'),
        ("net.to('mps')", '`to("mps")`'),
        ("torch.cuda.synchronize()", "`torch.cuda.synchronize()`"),
        ("torch.cuda.set_device(0)", "`torch.cuda.set_device()`"),
        ("device = 'cuda:0'; net.to(device)", '`to("cuda:0")`'),
    ],
)
def test_calls_that_need_a_gpu_are_named(body: str, call: str) -> None:
    assert gpu_calls(body) == (f"submission.py, line 3: {call}",)


@pytest.mark.parametrize(
    "body",
    [
        "d = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "if torch.cuda.is_available(): net.cuda()",
        "net = net.cuda() if torch.cuda.is_available() else net",
        "torch.cuda.is_available() and net.cuda()",
        "torch.cuda.manual_seed_all(1)",
        "net.to('cpu')",
        "x = 'cuda'",
        "d = 'cuda' if torch.cuda.is_available() else 'cpu'; net.to(d)",
        "d = 'cuda'; d = 'cpu'; net.to(d)",
        "d = 'cuda'; d, e = pick(); net.to(d)",
        "for d in ('cuda', 'cpu'): pass; d = 'cuda'; net.to(d)",
        "(lambda d: net.to(d))('cpu'); d = 'cuda'",
        "from config import d; d = 'cuda'; net.to(d)",
        "queue.synchronize()",
        "net.to(f'{kind}:0')",
        "return net.to(next(net.parameters()).device)",
    ],
)
def test_calls_under_a_condition_and_others_are_not_named(body: str) -> None:
    assert gpu_calls(body) == ()


def test_a_device_that_the_module_names_at_its_top_is_followed() -> None:
    assert gpu_calls("return net.to(DEVICE)", "DEVICE = 'cuda'") == ('submission.py, line 3: `to("cuda")`',)
    assert gpu_calls("return net.to(DEVICE)", "DEVICE: str = 'cuda'") == ('submission.py, line 3: `to("cuda")`',)


def test_at_most_five_calls_of_a_module_are_named() -> None:
    assert len(gpu_calls("net.cuda()" + "; net.cuda()" * 20)) == 5


def test_gpu_calls_of_a_helper_are_named() -> None:
    files = {
        "submission.py": f"import pkg.a\n{SIGNATURE}: pass\n",
        "pkg/a.py": "x = y.cuda()\n",
        "unused.py": "x.cuda()",
    }

    found = check("entry.zip", make_zip({name: source.encode() for name, source in files.items()})).gpu_calls

    assert found == ("pkg/a.py, line 1: `.cuda()`",)


@pytest.mark.parametrize(
    ("head", "body", "line"),
    [
        ("", "net = torch.compile(net)", 3),
        ("", "net = torch.compile(net, mode='reduce-overhead', backend='inductor')", 3),
        ("@torch.compile\ndef step(): pass", "return net", 1),
        ("@torch.compile(fullgraph=True)\ndef step(): pass", "return net", 1),
    ],
)
def test_what_needs_a_compiler_is_told(head: str, body: str, line: int) -> None:
    found = check("submission.py", f"{head}\n{SIGNATURE}:\n    {body}\n".encode()).compiled

    assert len(found) == 1
    assert warnings_for((), found, Device.GPU) == [
        f"submission.py, line {line}: `torch.compile` needs a C++ compiler, which Lethe's environments lack. "
        "Leave it out, or choose backend='eager'."
    ]


@pytest.mark.parametrize(
    "body",
    [
        "net = torch.compile(net, backend='eager')",
        "net = torch.compile(net, disable=True)",
        "net = torch.compile(net) if fast else net",
        "pattern = re.compile('x')",
        "compile('1', '', 'eval')",
        "x = hasattr(torch, 'compile')",
    ],
)
def test_what_compiles_nothing_is_not_told(body: str) -> None:
    assert check("submission.py", f"{SIGNATURE}:\n    {body}\n".encode()).compiled == ()


def test_a_module_that_needs_another_package_names_it() -> None:
    for line in (
        "from torch.utils.tensorboard import SummaryWriter",
        "import torch.utils.tensorboard as tb",
        "from torch.utils import tensorboard, data",
    ):
        assert "tensorboard" in [one.name for one in names_in({"submission.py": line})]
    assert [one.name for one in names_in({"submission.py": "from torch.utils import data"})] == ["torch"]
