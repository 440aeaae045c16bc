"""Runs one part of the check in this process: `python -m benches.gpu_check.part NAME ...`; `__main__` starts it."""

import argparse
from collections.abc import Callable
from pathlib import Path

from benches.gpu_check.building import build_digits, build_resnet18
from benches.gpu_check.rows import Table
from benches.gpu_check.running import evaluate_entry, provoke_failures
from benches.gpu_check.seeing import see
from benches.gpu_check.setting import Setting
from services.core.device import Device

PARTS: dict[str, Callable[[Setting], None]] = {
    "device": see,
    "digits": build_digits,
    "resnet18": build_resnet18,
    "entry": evaluate_entry,
    "failures": provoke_failures,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--device", type=Device, required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--place", type=Path, required=True)
    given = parser.parse_args()
    table = Table(given.place / f"{given.part}.rows", given.part)
    PARTS[given.part](Setting(given.device, given.small, given.place, table))
