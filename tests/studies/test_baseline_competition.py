"""The lasting competition of `make baselines`, on a tiny benchmark."""

from pathlib import Path

from services.core.settings import SandboxKind, Settings
from studies.baselines.competition import Contest, installation, open_site
from studies.baselines.entries import Entry
from tests.bundles import make_tiny_bundle
from tests.installation import free_port

NOISE = b"""
import torch


def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""
IDENTITY = b"def unlearning(net, retain_loader, forget_loader, val_loader):\n    pass\n"
BROKEN = b"def unlearning(net, retain_loader, forget_loader, val_loader):\n    raise ValueError('no')\n"
RUNS = 8


def test_what_was_run_is_not_run_again_and_what_changed_is(tmp_path: Path) -> None:
    contest = Contest(make_tiny_bundle(tmp_path / "tiny", oracle_seeds=RUNS), RUNS)
    entries = [Entry("identity", IDENTITY), Entry("noise", NOISE), Entry("broken", BROKEN)]
    changed = [entries[0], Entry("noise", NOISE + b"\n# again\n"), entries[2]]
    own = Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.PROCESS)
    with open_site(installation(own, free_port())) as site:
        ids = site.submit(contest, entries)
        site.watch(ids)
        rows = site.rows(contest, entries)
        board = site.client.board(f"/api/competitions/baselines/phases/{contest.phase}/leaderboard")
        outdated = site.rows(contest, changed)
        again = site.submit(contest, changed)
        site.watch(again)
        renewed = site.rows(contest, changed)
    assert [row.entry for row in rows][-1] == "broken"
    by_name = {row.entry: row for row in rows}
    assert (by_name["broken"].failure, "no" in by_name["broken"].message) == ("exception", True)
    assert (by_name["identity"].reference, by_name["identity"].models, by_name["noise"].models) == (True, 1, RUNS)
    assert by_name["noise"].relative_quality is not None
    assert by_name["noise"].bound is not None
    for one in board:  # while nothing is out of date, the table is the platform's own board
        row = by_name[one["entry"]]
        assert (row.rank, row.tie_group, row.final_score) == (one["rank"], one["tie_group"], one["final_score"])
    assert {row.entry for row in outdated} == {"identity", "broken"}
    assert (again[0], again[2]) == (ids[0], ids[2])
    assert again[1] != ids[1]
    assert {row.entry for row in renewed} == {"identity", "noise", "broken"}
