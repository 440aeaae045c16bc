"""Every command of `lethe` by name: where it is, and its line in `lethe --help`.

Plain data, so that `lethe --help` imports no command. A line is the first sentences of the command's own help, which a
test compares.
"""

from dataclasses import dataclass

__all__ = ["COMMANDS", "Command"]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a group of them."""

    panel: str
    place: str
    """Its module in `services.cli`, and its name in that module."""
    help: str
    extras: str = ""
    """The extras of the distribution that install what it imports; none for commands that speak HTTP."""


COMMANDS = {
    "evaluate": Command(
        "Participants",
        "evaluate:evaluate",
        "Run, measure and score a submission locally, in the same sandbox and with the same numbers as on a server.",
        "worker,scorer",
    ),
    "score": Command(
        "Participants", "scoring:score", "Score stored measurements, or plain arrays, by any metric.", "scorer"
    ),
    "certify": Command(
        "Participants",
        "certify:certify",
        "Compute the epsilon that a sigma certifies on a strongly convex problem, or the least sigma for an epsilon.",
    ),
    "login": Command(
        "Participants",
        "participant:login",
        "Log in to a server and remember it. In CI set LETHE_URL and LETHE_TOKEN instead.",
    ),
    "whoami": Command(
        "Participants", "browsing:whoami", "Say which account you are on which server, and in which teams."
    ),
    "competitions": Command(
        "Participants", "browsing:competitions", "List the competitions of a server. Needs no login."
    ),
    "phases": Command(
        "Participants",
        "browsing:phases",
        "List the phases of a competition, with dates and quotas. Needs no login.",
    ),
    "register": Command(
        "Participants",
        "people:register",
        "Register for a competition. Without --accept-rules it prints the rules, if there are any to accept.",
    ),
    "team": Command("Participants", "teams:app", "Form, lead, leave and merge teams."),
    "submit": Command(
        "Participants",
        "submitting:submit",
        "Submit an unlearning algorithm. With --wait, for CI, the exit status tells whether it was scored.",
    ),
    "submissions": Command("Participants", "browsing:submissions", "List the submissions of your teams, newest first."),
    "status": Command(
        "Participants",
        "showing:status",
        "Show the state of a submission and, once it has ended, its score or failure.",
    ),
    "replay": Command(
        "Participants",
        "replay:replay",
        "Run a submission of yours again here, in the same environment and under the same limits, to see why it "
        "failed.",
        "worker",
    ),
    "losses": Command(
        "Participants",
        "losses:losses",
        "Show where a scored submission loses, and which forget examples are told apart most from retraining.",
    ),
    "note": Command(
        "Participants",
        "submitting:note",
        "Write a note and tags about a submission, or show them. Only your team and the organisers see them.",
    ),
    "share": Command(
        "Participants",
        "submitting:share",
        "Show a scored submission to everybody who has its link: name, team, score and place, never code or note.",
    ),
    "notices": Command(
        "Participants",
        "notices:notices",
        "Show what happened to your submissions and competitions, newest first.",
    ),
    "webhook": Command("Participants", "notices:app", "Have an address called when something happens."),
    "cancel": Command(
        "Participants",
        "participant:cancel",
        "Stop a submission that is queued or running. It counts against the quota only if a run had started.",
    ),
    "compare": Command(
        "Participants",
        "participant:compare",
        "Test whether one submission is better than another, beyond the noise of their runs and of the oracle.",
    ),
    "leaderboard": Command(
        "Participants",
        "participant:leaderboard",
        "Print a leaderboard. Intervals are at 95%; reference rows are never ranked.",
    ),
    "withdraw": Command(
        "Participants",
        "judging:withdraw",
        "Take a submission off the leaderboard, until a final opens. Your next-best entry takes its place.",
    ),
    "select": Command(
        "Participants",
        "finals:select",
        "Enter a submission into a final, until the selection ends. If you enter none, your best ranked one is "
        "entered.",
    ),
    "final": Command("Organisers", "finals:app", "Preview, start, publish and seal finals, and check their promises."),
    "matrix": Command("Organisers", "matrices:app", "Run chosen entries on chosen benchmarks, beside the contest."),
    "winners": Command(
        "Organisers", "winners:app", "Show the finalists of a published final, verify them, publish code."
    ),
    "judge": Command("Organisers", "judging:app", "Read, compare, disqualify and reinstate entries. For organisers."),
    "receipt": Command(
        "Participants", "receipts:app", "Get the signed statement of a score, and check one offline.", "core"
    ),
    "rescore": Command(
        "Organisers",
        "rescoring:rescore",
        "Rescore a phase by another metric, or from new runs. For organisers.",
    ),
    "stability": Command(
        "Organisers",
        "reliability:stability",
        "Show how stable the order of a leaderboard is, and how each number behaves if the truth is known.",
    ),
    "setup": Command(
        "Operators",
        "operator:setup",
        "Choose the sandbox, once: Docker if an engine answers, otherwise plain processes. Build the sandbox image.",
        "worker",
    ),
    "demo": Command(
        "Operators", "demo:demo", "Hold a whole competition on this machine and print its leaderboard.", "all"
    ),
    "up": Command("Operators", "operator:up", "Serve the platform: API, worker and scorer, until Ctrl-C.", "all"),
    "doctor": Command(
        "Operators",
        "doctor:doctor",
        "Say what is there (Docker, GPU, Redis, database, disk), and what each absence means.",
        "worker",
    ),
    "environment": Command(
        "Operators",
        "environment:app",
        "List, show, add, remove and enter the environments in which submissions run.",
        "worker",
    ),
    "operator": Command(
        "Operators",
        "operator:operator",
        "Create an operator's account; print its password and a token, as JSON, this once.",
        "api",
    ),
    "account": Command(
        "Participants", "account:account_app", "Your account: password, data, deletion. For operators: roles and links."
    ),
    "measurements": Command(
        "Operators",
        "scoring:measurements",
        "Write the measurements of a submission on this installation to a file, for `lethe score`. For operators.",
        "core",
    ),
    "audit": Command(
        "Operators", "audit:app", "Check the record of acts and scores, export it, show its head.", "core"
    ),
    "migrate": Command(
        "Operators",
        "operator:migrate",
        "Bring the database to the newest schema; in Postgres, give the services' roles their rights.",
        "core",
    ),
    "api": Command(
        "Operators", "operator:api", "Serve the REST API and the web app, without worker and scorer.", "api"
    ),
    "worker": Command(
        "Operators",
        "operator:worker",
        "Run submissions: claim shards, run them in the sandbox, measure their models.",
        "worker",
    ),
    "scorer": Command("Operators", "operator:scorer", "Score measured evaluations and move the leaderboard.", "scorer"),
    "benchmark": Command(
        "Organisers", "benchmarks:app", "Build, inspect, verify, carry, upload and publish benchmarks.", "worker,scorer"
    ),
    "data": Command("Organisers", "data:app", "Check datasets, and make a synthetic one.", "worker"),
    "competition": Command(
        "Organisers",
        "organiser:competition_app",
        "Create competitions, from a file or step by step. For organisers.",
        "api,scorer",  # `check`, `freeze` and `verify`; the others send requests
    ),
    "phase": Command("Organisers", "organiser:phase_app", "Create phases, and look after them. For organisers."),
    "notebook": Command(
        "Participants", "notebook:app", "Run notebooks of the 2023 Kaggle competition.", "worker,scorer"
    ),
}
