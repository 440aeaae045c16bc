"""What runs print reaches the participant, and nothing of it does where the data are hidden."""

from datetime import timedelta
from pathlib import Path

import httpx2

from services.core.store.database import utc_now
from tests.installation import Installation

TALKS = """
def unlearning(net, retain_loader, forget_loader, val_loader):
    print("one of the images:", next(iter(forget_loader))[0].sum().item())
    raise ValueError("on purpose")
"""


def log_of(installation: Installation, submission_id: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {installation.token}"}
    return httpx2.get(f"{installation.stack.url}/api/submissions/{submission_id}/log", headers=headers)


def test_print_outs_are_kept_where_data_are_not_hidden(installation: Installation, tmp_path: Path) -> None:
    hidden = {
        "slug": "hidden",
        "kind": "final",
        "entered_by": "upload",
        "benchmark": "tiny",
        "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
        "seeds": 8,
        "data_hidden": True,
        "references": False,
    }
    installation.client.post("/api/competitions/cup/phases", hidden)

    open_one = installation.submit(TALKS, tmp_path, "--wait", check=False)
    hidden_one = installation.submit(TALKS, tmp_path, "--wait", "-p", "hidden", check=False)

    assert (open_one["state"], open_one["has_log"]) == ("failed", True)
    assert log_of(installation, open_one["id"]).text.startswith("one of the images: ")
    assert (hidden_one["phase"], hidden_one["state"], hidden_one["has_log"]) == ("hidden", "failed", False)
    assert log_of(installation, hidden_one["id"]).status_code == 404  # for an operator, too: it was never written down
