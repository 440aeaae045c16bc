"""Play a whole contest by API, and check the record after each step: `python -m benches.contest`.

An embedded installation holds it in a temporary directory: a file is applied; teams register, are approved and submit
to the check and feedback phases; one copies another, is disqualified and reinstated; teams select; a sealed final
runs on two benchmarks and is published; winners are run again and decided on; the final is sealed and published
again; the contest is frozen. After each step the record of acts is checked from its beginning, and against every head
seen before. At the end rows are forged, and the check must find each.

The benchmark is linear and its entries are our own, so that most of the time is the platform's.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benches.contest.steps import STEPS, Contest, open_contest


def main() -> None:
    """Play all steps and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teams", type=int, default=30, help="at least 4")
    parser.add_argument("--seeds", type=int, default=16, help="runs of each entry, at most 64; 8 in the check phase")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, open_contest(Path(root), options.teams, options.seeds) as contest:
        done = [_play(contest, title) for title in STEPS]
    if options.json:
        print(json.dumps(done))
        return
    print(f"{options.teams} teams, {options.seeds} runs of each entry")
    print(f"{'step':44}{'seconds':>9}{'acts':>7}{'checked in':>12}")
    for one in done:
        print(f"{one['step']:44}{one['seconds']:9.1f}{one['acts']:7d}{one['checked_s']:10.1f} s")
    print(f"{'all':44}{sum(one['seconds'] for one in done):9.1f}")


def _play(contest: Contest, title: str) -> dict[str, float | int | str]:
    seconds = contest.timed(lambda: STEPS[title](contest))
    checked_s = contest.timed(contest.check_record)
    return {"step": title, "seconds": seconds, "acts": contest.heads[-1].number, "checked_s": checked_s}


if __name__ == "__main__":
    main()
