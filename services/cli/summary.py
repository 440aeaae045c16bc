"""The result of a submission as Markdown, for the summary of a CI job or a pull request."""

from pathlib import Path
from typing import Any

from services.cli.client import Client, ServerProblem, Unreachable

__all__ = ["standing_of", "write_summary"]

ESCAPED = "\\`*_{}[]<>()#+!|~"


def standing_of(client: Client, submission: dict[str, Any]) -> dict[str, Any] | None:
    """Ask how a scored submission stands; None if it is not scored, or if it cannot be told now."""
    if not submission["score"]:
        return None
    try:
        standing: dict[str, Any] = client.get(f"/api/submissions/{submission['id']}/standing")
    except (ServerProblem, Unreachable):
        return None  # the score is there, and the command tells it without this
    return standing


def write_summary(file: Path, url: str, submission: dict[str, Any], standing: dict[str, Any] | None) -> None:
    """Append the Markdown of a submission to a file."""
    with file.open("a", encoding="utf-8") as out:
        out.write(_markdown(url, submission, standing))


def _markdown(url: str, submission: dict[str, Any], standing: dict[str, Any] | None) -> str:
    page = f"{url}/submissions/{submission['id']}"
    rows = [
        ("Competition", f"{_plain(submission['competition'])}, phase {_plain(submission['phase'])}"),
        ("Team", _plain(submission["team"])),
        ("State", submission["state"]),
        *_score_rows(submission, standing),
    ]
    lines = [
        f"## Lethe: {_plain(submission['name'])} is {submission['state']}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
    ]
    if failure := submission["failure"]:
        lines += [f"**{_plain(failure['kind'])}**: {_plain(failure['message'])}", ""]
    if standing:
        lines += [*(_plain(one) for one in (standing["sentence"], *standing["remarks"])), ""]
    return "\n".join([*lines, f"[Open the submission]({page})", "", ""])


def _score_rows(submission: dict[str, Any], standing: dict[str, Any] | None) -> list[tuple[str, str]]:
    score = submission["score"]
    if not score:
        return []
    rows = [
        ("Score", f"**{score['final_score']:.4f}** by {_plain(score['metric'])}"),
        ("95% interval", f"{score['ci_low']:.4f} to {score['ci_high']:.4f}"),
        ("Forgetting quality", f"{score['forgetting_quality']:.4f}"),
        ("Utility", f"{score['utility']:.3f}"),
        ("Runs", str(score["seeds"])),
    ]
    if standing:
        rows.append(("Rank", _plain(standing["place"]["words"])))
    return rows


def _plain(text: str) -> str:
    """Write a text so that Markdown shows it as it is, in one line."""
    escaped = "".join(f"\\{one}" if one in ESCAPED else one for one in text)
    return " ".join(escaped.split())
