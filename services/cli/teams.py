"""`lethe team`: forming, leading, leaving and merging teams."""

from typing import Annotated

import typer

from services.cli.client import open_client
from services.cli.console import print_json, print_listed, say
from services.cli.moments import moment
from services.cli.participant import Json, Url

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Form, lead, leave and merge teams.")

Name = Annotated[str, typer.Argument(help="The team's name.")]
Username = Annotated[str, typer.Argument(help="The username of a member.")]
OfferId = Annotated[str, typer.Argument(help="The id that `lethe team offers` prints.")]


@app.command("list")
def list_teams(url: Url = None, as_json: Json = False) -> None:
    """List the teams that you compete for, by competition."""
    found = list(open_client(url).pages("/api/me/teams"))
    print_listed(found, ("name", "competition", "role", "members"), "Your teams", as_json, numbers=("members",))


@app.command("show")
def show(name: Name, url: Url = None, as_json: Json = False) -> None:
    """Show a team: its members, and its entries on boards."""
    found = open_client(url).get(f"/api/teams/{name}")
    if as_json:
        print_json(found)
        return
    where = f"of {found['competition']}" if found["competition"] else "of one person, in every competition"
    typer.echo(f"Team {found['name']}, {where}" + (f"; now {found['merged_into']}" if found["merged_into"] else ""))
    print_listed(found["members"], ("username", "role", "joined_at"), "Members", as_json)
    if hidden := found["members_hidden"]:
        typer.echo(f"{hidden} {'member does' if hidden == 1 else 'members do'} not show who they are.")
    print_listed(
        found["entries"], ("competition", "phase", "submission", "rank"), "On boards", as_json, numbers=("rank",)
    )


@app.command("create")
def create(
    name: Name,
    competition: Annotated[str, typer.Option("--competition", "-c", help="The competition's short name.")],
    url: Url = None,
) -> None:
    """Make a team in a competition, led by you. What you submitted there counts for it from now on."""
    open_client(url).post(f"/api/competitions/{competition}/teams", {"name": name})
    say(f"You lead team {name} of {competition}. Let others in with `lethe team invite {name}`.")


@app.command("rename")
def rename(name: Name, new_name: Annotated[str, typer.Argument(help="Its name from now on.")], url: Url = None) -> None:
    """Rename a team that you lead."""
    open_client(url).patch(f"/api/teams/{name}", {"name": new_name})
    say(f"The team is called {new_name} now.")


@app.command("invite")
def invite(
    name: Name,
    username: Annotated[
        str | None, typer.Argument(help="Whom to offer a place. If you leave it out, a link is printed, this once.")
    ] = None,
    uses: Annotated[int, typer.Option(help="How many people the link lets in.")] = 1,
    days: Annotated[int, typer.Option(help="For how many days the link is valid.")] = 7,
    url: Url = None,
) -> None:
    """Invite people to a team that you lead: one by username, or whoever has a link."""
    client = open_client(url)
    if username is not None:
        client.post(f"/api/teams/{name}/offers", {"username": username})
        say(f"{username} sees your offer, and accepts or declines it.")
        return
    made = client.post(f"/api/teams/{name}/invitations", {"uses": uses, "expires_in_days": days})
    typer.echo(f"{client.url}{made['path']}")
    say(f"Whoever has this link may join until {moment(made['expires_at'])}. It is not shown again.")


@app.command("invitations")
def list_invitations(name: Name, url: Url = None, as_json: Json = False) -> None:
    """List your team's valid invitation links, without their codes."""
    found = list(open_client(url).pages(f"/api/teams/{name}/invitations"))
    print_listed(found, ("id", "used", "uses", "expires_at"), f"Links to {name}", as_json, numbers=("used", "uses"))


@app.command("revoke")
def revoke(
    name: Name,
    invitation: Annotated[str, typer.Argument(help="The id that `lethe team invitations` prints.")],
    url: Url = None,
) -> None:
    """Let a link let nobody in any more. Whoever joined with it stays."""
    open_client(url).post(f"/api/teams/{name}/invitations/{invitation}/revoke")
    say("Revoked.")


@app.command("join")
def join(
    link: Annotated[str, typer.Argument(help="The invitation link, or only its code.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
) -> None:
    """Join a team with an invitation link. It shows the team, and asks."""
    client = open_client(url)
    body = {"code": link.rpartition("#")[2]}
    found = client.post("/api/joining/preview", body)
    team = found["team"]
    people = ", ".join(one["username"] for one in team["members"])
    typer.echo(f"Team {team['name']} of {team['title']} ({team['competition']}): {people}.")
    say("Once it submits with you in it, you compete for no other team there, even if you leave.")
    if found["obstacle"]:
        say(found["obstacle"])
        raise typer.Exit(1)
    if not yes:
        typer.confirm(f"Join {team['name']}?", abort=True)
    client.post("/api/joining", body)
    say(f"You are in team {team['name']}. Submit with `lethe submit`.")


@app.command("offers")
def list_offers(url: Url = None, as_json: Json = False) -> None:
    """List open offers to you and your teams, and those of teams that you lead."""
    found = list(open_client(url).pages("/api/me/offers"))
    print_listed(found, ("id", "competition", "team", "username", "other", "yours_to_answer"), "Open offers", as_json)


@app.command("accept")
def accept(offer: OfferId, url: Url = None) -> None:
    """Accept an offer: join the team, or let the team that you lead become part of it."""
    found = open_client(url).post(f"/api/offers/{offer}/accept")
    say(f"You are in team {found['name']} of {found['competition']}.")


@app.command("decline")
def decline(offer: OfferId, url: Url = None) -> None:
    """Decline an offer, or withdraw one of a team that you lead."""
    open_client(url).post(f"/api/offers/{offer}/decline")
    say("The offer has ended.")


@app.command("leave")
def leave(name: Name, url: Url = None) -> None:
    """Leave a team. What it submitted stays with it."""
    open_client(url).post(f"/api/teams/{name}/leave")
    say(f"You are not in team {name} any more.")


@app.command("remove")
def remove(name: Name, username: Username, url: Url = None) -> None:
    """Take a member out of a team that you lead."""
    open_client(url).delete(f"/api/teams/{name}/members/{username}")
    say(f"{username} is not in team {name} any more.")


@app.command("captain")
def captain(name: Name, username: Username, url: Url = None) -> None:
    """Make another member the captain of a team that you lead."""
    open_client(url).post(f"/api/teams/{name}/captain", {"username": username})
    say(f"{username} leads team {name} now.")


@app.command("merge")
def merge(
    name: Name,
    other: Annotated[str, typer.Argument(help="The team that becomes part of it, if its captain accepts.")],
    url: Url = None,
) -> None:
    """Offer another team to become part of one that you lead."""
    open_client(url).post(f"/api/teams/{name}/merge", {"team": other})
    say(f"The captain of {other} sees your offer, and accepts or declines it.")
