"""Commands of organisers: create competitions and phases."""

from typing import Annotated, Any

import typer

from services.cli import competition_file, frozen
from services.cli.client import open_client
from services.cli.console import print_json, print_table, say
from services.cli.images import images
from services.cli.participant import Competition, Json, Phase, Url
from services.cli.people import people_app
from services.core.catalogue import DEFAULT_METRIC, metric_names
from services.core.device import Device

__all__ = ["competition_app", "phase_app"]

competition_app = typer.Typer(
    no_args_is_help=True, help="Create competitions, from a file or step by step. For organisers."
)
competition_app.add_typer(people_app, name="people")
phase_app = typer.Typer(no_args_is_help=True, help="Create phases, and look after them. For organisers.")


competition_app.command("check")(competition_file.check_file)
competition_app.command("apply")(competition_file.apply_file)
competition_app.command("export")(competition_file.export_file)
competition_app.command("images")(images)
competition_app.command("versions")(competition_file.list_versions)
competition_app.command("delete")(competition_file.delete_competition)
competition_app.command("freeze")(frozen.freeze)
competition_app.command("verify")(frozen.verify)
competition_app.command("retain")(frozen.retain)


@competition_app.command("create")
def create_competition(
    slug: Annotated[str, typer.Argument(help="Its short name: lower-case letters, digits, inner hyphens.")],
    title: Annotated[str, typer.Option(help="Its title.")],
    description: Annotated[str, typer.Option(help="What it is about, as plain text.")] = "",
    url: Url = None,
) -> None:
    """Create a competition, without phases yet. It is public at once."""
    open_client(url).post("/api/competitions", {"slug": slug, "title": title, "description": description})
    say(f"Created the competition {slug}. Give it a phase with `lethe phase create`.")


@competition_app.command("announce")
def announce(
    slug: Annotated[str, typer.Argument(help="The competition's short name.")],
    title: Annotated[str, typer.Argument(help="Its title, in one line.")],
    body: Annotated[str, typer.Option(help="What to announce, as plain text.")],
    url: Url = None,
) -> None:
    """Announce something on the page of a competition and in its feed. It cannot be edited, only retracted."""
    made = open_client(url).post(f"/api/competitions/{slug}/announcements", {"title": title, "body": body})
    say(f"Announced. Take it back with `lethe competition retract {slug} {made['id']}`.")


@competition_app.command("retract")
def retract(
    slug: Annotated[str, typer.Argument(help="The competition's short name.")],
    announcement: Annotated[str, typer.Argument(help="The id that `lethe competition announce` printed.")],
    url: Url = None,
) -> None:
    """Take an announcement off the page of a competition and its feed."""
    open_client(url).post(f"/api/competitions/{slug}/announcements/{announcement}/retract")
    say("Retracted.")


@competition_app.command("weigh")
def weigh_competition(
    slug: Annotated[str, typer.Argument(help="The competition's short name.")],
    weight: Annotated[int, typer.Argument(help="Shards of each of its teams that run in one turn; 1 to begin with.")],
    url: Url = None,
) -> None:
    """Give a competition a larger share of the workers. For operators."""
    open_client(url).patch(f"/api/competitions/{slug}", {"weight": weight})
    say(f"Each team of {slug} now runs {weight} shard{'s' * (weight > 1)} in its turn.")


@phase_app.command("create")
def create_phase(
    slug: Annotated[str, typer.Argument(help="Its short name: lower-case letters, digits, inner hyphens.")],
    competition: Competition,
    benchmark: Annotated[str, typer.Option(help="A published benchmark: its name or its digest.")],
    closes_at: Annotated[str, typer.Option(help="When it closes, with a time zone: 2027-01-31T12:00:00Z.")],
    opens_at: Annotated[
        str | None, typer.Option(help="When it opens, with a time zone. If you leave it out: at once.")
    ] = None,
    kind: Annotated[str, typer.Option(help="check, feedback or final.")] = "feedback",
    device: Annotated[
        Device, typer.Option(help="What submissions run on: a slot with a GPU, or one without.")
    ] = Device.CPU,
    environment: Annotated[
        str | None, typer.Option(help="What code finds in the sandbox; `lethe environment list` shows the names.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Its name for readers, if the short one does not do.")] = None,
    seeds: Annotated[int, typer.Option(help="N, the runs of each evaluation.")] = 512,
    shard_seeds: Annotated[int, typer.Option(help="Runs that a worker takes at once.")] = 64,
    quota_per_day: Annotated[int, typer.Option(help="Submissions per team per 24 hours.")] = 5,
    quota_total: Annotated[
        int | None, typer.Option(help="Submissions per team in all. If you leave it out: no such limit.")
    ] = None,
    seed_timeout_s: Annotated[float, typer.Option(help="The longest time of one run, in seconds.")] = 60.0,
    memory_gib: Annotated[float, typer.Option(help="The memory of one run, in GiB.")] = 2.0,
    metric: Annotated[
        str, typer.Option(help=f"The metric that the leaderboard ranks by: {metric_names()}.")
    ] = DEFAULT_METRIC,
    max_time_ratio: Annotated[
        float, typer.Option(help="The longest run time that ranks, as a share of the time that retraining takes.")
    ] = 0.2,
    data_hidden: Annotated[
        bool | None,
        typer.Option(
            "--data-hidden/--data-public",
            help="Keep data hidden from participants, or not. If you leave it out: hidden, except in a check phase.",
        ),
    ] = None,
    notebooks: Annotated[bool, typer.Option(help="Accept notebooks in the layout of 2023.")] = False,
    notebook_timeout_s: Annotated[float, typer.Option(help="The longest time of a notebook, in seconds.")] = 28_800.0,
    cuda_stand_in: Annotated[
        bool, typer.Option(help="Let notebooks see CUDA on a host without a GPU; all is computed on the CPU.")
    ] = False,
    take_first: Annotated[
        bool, typer.Option(help="Take the first N checkpoints of a notebook that writes more, such as 512.")
    ] = False,
    rehearse: Annotated[
        bool, typer.Option(help="In a check phase, let notebooks unlearn stand-in data; otherwise a dry run.")
    ] = True,
    robustness: Annotated[
        bool, typer.Option(help="Also read every model under stress. The benchmark must be built for it.")
    ] = False,
    placebo_audit: Annotated[
        bool, typer.Option(help="Also start up to 64 runs of each entry from models that never saw the forget set.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(help="A secondary column that its leaderboard shows at first, such as ssd.zrf; repeat it."),
    ] = None,
    references: Annotated[
        bool,
        typer.Option(
            help="Let the platform make reference rows: doing nothing, and retraining for 5 to 100% of the epochs."
        ),
    ] = True,
    entered_by: Annotated[
        str | None,
        typer.Option(
            help="upload, or for a sealed final selection. If you leave it out: a final is entered by selection."
        ),
    ] = None,
    selects: Annotated[int, typer.Option(help="In a sealed final, the most submissions of one team.")] = 1,
    draws_from: Annotated[
        list[str] | None,
        typer.Option(help="In a sealed final, a phase to select from; repeat it. If you leave it out: all feedback."),
    ] = None,
    further_benchmark: Annotated[
        list[str] | None, typer.Option(help="In a sealed final, one more benchmark to run entries on; repeat it.")
    ] = None,
    url: Url = None,
) -> None:
    """Create a phase of a competition. Its settings change on the page Organise, or by a file."""
    body: dict[str, Any] = {
        "slug": slug,
        "title": title,
        "kind": kind,
        "device": device.value,
        "environment": environment,
        "benchmark": benchmark,
        "closes_at": closes_at,
        "seeds": seeds,
        "shard_seeds": shard_seeds,
        "quota_per_day": quota_per_day,
        "quota_total": quota_total,
        "seed_timeout_s": seed_timeout_s,
        "memory_bytes": round(memory_gib * 2**30),
        "metric": metric,
        "max_time_ratio": max_time_ratio,
        "data_hidden": data_hidden,
        "notebooks": notebooks,
        "notebook_timeout_s": notebook_timeout_s,
        "cuda_stand_in": cuda_stand_in,
        "take_first": take_first,
        "rehearse": rehearse,
        "robustness": robustness,
        "placebo_audit": placebo_audit,
        "columns": column or [],
        "references": references,
        "entered_by": entered_by,
        "selects": selects,
        "draws_from": draws_from or None,
        "further_benchmarks": further_benchmark or [],
    }
    if opens_at is not None:
        body["opens_at"] = opens_at
    made = open_client(url).post(f"/api/competitions/{competition}/phases", body)
    say(f"Created the phase {slug} of {competition}.")
    if made["robustness_s"] is not None:
        say(f"Its robustness stage adds about {made['robustness_s']:.0f} s of a worker to each evaluation.")
    if made["placebo_runs"]:
        say(f"Its placebo audit adds {made['placebo_runs']} runs to the {seeds} of each evaluation.")


@phase_app.command("references")
def references(
    competition: Competition,
    phase: Phase,
    make: Annotated[
        bool, typer.Option("--make", help="Make the rows that are missing, and those that failed or were cancelled.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the reference rows that the platform makes in a phase, or have them made again."""
    client, path = open_client(url), f"/api/competitions/{competition}/phases/{phase}/references"
    found = client.post(path) if make else client.get(path)
    if as_json:
        print_json(found)
        return
    if found["why_none"]:
        say(found["why_none"])
        return
    names = ("row", "epochs", "state", "s a run", "score")
    print_table(names, [_reference(one) for one in found["items"]], title=f"Reference rows of {phase}", words={"row"})
    if found["waiting"]:
        say("Rows are yet to be made. It takes seconds; in a draft they wait until the competition is public.")
    elif not found["wanted"]:
        say("This phase was made without them. Run it with --make to have them made.")


@phase_app.command("alarms")
def list_alarms(competition: Competition, phase: Phase, url: Url = None, as_json: Json = False) -> None:
    """List submissions that look like leakage, copies or dependent runs. An alarm changes no score: you decide."""
    found = list(open_client(url).pages(f"/api/competitions/{competition}/phases/{phase}/alarms"))
    if as_json:
        print_json(found)
        return
    for entry in found:
        for alarm in entry["alarms"]:
            typer.echo(f"{entry['team']}, {entry['submission']} ({entry['submission_id']})")
            typer.echo(f"  {alarm['kind']}: {alarm['message']}")
    if not found:
        say("No alarms.")


def _reference(one: dict[str, Any]) -> list[str]:
    run_s, score = one["run_s"], one["final_score"]
    return [
        one["name"],
        str(one["epochs"]),
        one["state"] or "not made yet",
        "" if run_s is None else f"{run_s:.3f}",
        "" if score is None else f"{score:.4f}",
    ]
