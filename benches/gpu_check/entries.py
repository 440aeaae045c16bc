"""The entries that the check runs, as a participant would write them."""

from pathlib import Path

__all__ = ["GREEDY_FOR_MEMORY", "GREEDY_ON_GPU", "IDENTITY", "PERTURB_REPAIR", "SLEEPER", "on"]

PERTURB_REPAIR = (Path(__file__).parents[2] / "baselines" / "perturb_repair.py").read_bytes()
HEAD = "import time\nimport torch\n\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n"
IDENTITY = f"{HEAD}    pass\n".encode()
SLEEPER = f"{HEAD}    time.sleep(600)\n".encode()
# It takes what a slot must refuse, and no more than a machine has.
GREEDY_FOR_MEMORY = f"""{HEAD}    kept = []
    for _ in range(48):
        kept.append(b"x" * 2**26)
        time.sleep(0.02)
    time.sleep(600)
""".encode()
GREEDY_ON_GPU = f"""{HEAD}    total = torch.cuda.get_device_properties(0).total_memory
    torch.empty(int(0.8 * total), dtype=torch.uint8, device="cuda")
""".encode()


def on(device: str, source: bytes) -> bytes:
    """Add to an entry that its model must come on a device."""
    check = f"""

_unlearning = unlearning


def unlearning(net, *loaders):
    found = next(net.parameters()).device.type
    assert found == {device!r}, f"the model is on {{found}}"
    assert next(iter(loaders[0]))[0].device.type == {device!r}
    return _unlearning(net, *loaders)
"""
    return source + check.encode()
