"""`lethe competition images`: the images that texts of a competition show."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import NoSuchFile, open_client
from services.cli.console import print_json, print_table, say
from services.cli.participant import Json, Url

__all__ = ["images"]


def images(
    slug: Annotated[str, typer.Argument(help="The competition's short name.")],
    add: Annotated[
        list[Path] | None,
        typer.Option(help="Add this PNG, JPEG or WebP image, or replace the one of its name. Repeatable."),
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Remove the image of this name. Repeatable.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the images of a competition, and add or remove some. Its texts show one by the address images/NAME."""
    client, path = open_client(url), f"/api/competitions/{slug}/images"
    for file in add or []:
        if not file.is_file():
            raise NoSuchFile(f"There is no file {file}. Check its name.")
        client.put_file(f"{path}/{file.name}", file)
        say(f"Added {file.name}. Texts show it by the address images/{file.name}.")
    for name in remove or []:
        client.delete(f"{path}/{name}")
        say(f"Removed {name}.")
    items = client.get(path)["items"]
    if as_json:
        print_json(items)
        return
    rows = [(one["name"], f"{one['width_px']} x {one['height_px']}", f"{one['size_bytes']:,}") for one in items]
    print_table(("name", "pixels", "bytes"), rows, title="", words={"name"})
