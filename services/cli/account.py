"""Commands about one's own account, and those of operators about others."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_listed, require_place, say
from services.cli.participant import Json, Url
from services.cli.people import Username
from services.cli.preferences import preferences

__all__ = ["account_app"]

account_app = typer.Typer(
    no_args_is_help=True, help="Your account: password, data, deletion. For operators: roles and links."
)
Password = Annotated[
    str,
    typer.Option(
        prompt="Your password", show_default=False, hide_input=True, help="You are asked for it if you leave it out."
    ),
]


@account_app.command("password")
def change_password(
    password: Password = "",
    new_password: Annotated[
        str,
        typer.Option(
            prompt="New password",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
            help="At least 10 characters. You are asked for it if you leave it out.",
        ),
    ] = "",
    url: Url = None,
) -> None:
    """Change your password. It ends all your other sessions; tokens stay."""
    open_client(url).post("/api/me/password", {"password": password, "new_password": new_password})
    say("Your password is changed, and all your other sessions have ended.")


account_app.command("preferences")(preferences)


@account_app.command("export")
def export(out: Annotated[Path, typer.Argument(help="The zip to write.")], url: Url = None) -> None:
    """Write all data of your account to a zip: JSON, and the files of your submissions."""
    require_place(out)
    size = open_client(url).download("/api/me/export", out)
    say(f"Wrote {size:,} bytes to {out}.")


@account_app.command("delete")
def delete(
    password: Password = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Delete your account. It prints what goes and what remains, and asks. You cannot undo this."""
    client = open_client(url)
    username = client.get("/api/me")["account"]["username"]
    foreseen = client.get("/api/me/deletion")
    say(f"Deleting {username} removes:")
    for one in foreseen["goes"]:
        say(f"- {one}")
    say(f"What remains (you have {foreseen['submissions']} submissions, {foreseen['submissions_open']} of them open):")
    for one in foreseen["remains"]:
        say(f"- {one}")
    if not yes:
        typer.confirm("Delete the account?", abort=True)
    done = client.post("/api/me/deletion", {"username": username, "password": password})
    if as_json:
        print_json(done)
    else:
        say(f"Your account is deleted. Your submissions stay as those of {done['pseudonym']}.")


@account_app.command("reset")
def reset(username: Username, url: Url = None, as_json: Json = False) -> None:
    """Make a link with which somebody sets a new password, once, within an hour. For operators."""
    made = open_client(url).post(f"/api/admin/accounts/{username}/reset")
    if as_json:
        print_json(made)
        return
    typer.echo(made["url"])
    say(f"Give this link to {username} only: whoever has it sets the password.")


@account_app.command("role")
def change_role(
    username: Username,
    role: Annotated[str, typer.Argument(help="participant, organiser (who may create competitions) or operator.")],
    url: Url = None,
) -> None:
    """Make an account an organiser of the platform, or take it back. Competitions that it runs stay its own."""
    open_client(url).patch(f"/api/admin/accounts/{username}", {"role": role})
    say(f"{username} has the role {role} now.")


@account_app.command("trust")
def trust(
    username: Username,
    no_longer: Annotated[bool, typer.Option("--no-longer", help="Take the trust back.")] = False,
    url: Url = None,
) -> None:
    """Let an organiser publish benchmarks that were uploaded, also their own. For operators."""
    open_client(url).patch(f"/api/admin/accounts/{username}", {"publishes_benchmarks": not no_longer})
    say(f"{username} may {'no longer' if no_longer else 'now'} publish benchmarks that were uploaded.")


@account_app.command("list")
def list_accounts(url: Url = None, as_json: Json = False) -> None:
    """List the organisers and operators of the platform."""
    found = list(open_client(url).pages("/api/admin/accounts"))
    print_listed(found, ("username", "role", "created_at"), "Organisers and operators", as_json)
