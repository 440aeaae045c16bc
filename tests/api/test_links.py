"""What links tell before they are opened, and how works are cited: as a stranger would be told, whoever asks."""

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import yaml
from PIL import Image
from sqlalchemy import update
from starlette.testclient import TestClient

from services.api.app import create_app
from services.core.models import Competition, Phase, Visibility
from services.core.settings import Settings
from tests.api.finals import make_final, start
from tests.api.harness import Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.scores import put

INDEX = """<!doctype html><head>
    <meta name="description" content="Open competitions for machine unlearning." />
    <title>Lethe</title>
</head>"""
CUP = "/api/competitions/cup"
OF_PHASE = f"{CUP}/phases/feedback"
HOSTILE = '</title><script>alert("1")</script> & 100% {of} $x_y$'


@pytest.fixture
def pages(tmp_path: Path, settings: Settings) -> Iterator[TestClient]:
    """The pages of the web app, on the database of `api`."""
    built = tmp_path / "dist"
    built.mkdir()
    (built / "index.html").write_text(INDEX)
    with TestClient(create_app(settings, web=built)) as client:
        yield client


def change(api: Api, **values: object) -> None:
    with api.database.write() as session:
        session.execute(update(Competition).values(values))


def told(page: str) -> dict[str, str]:
    """What the tags of a page's head say."""
    return {
        name: unescape(content) for name, content in re.findall(r'(?:name|property)="([^"]+)" content="([^"]*)"', page)
    }


def test_a_link_to_a_competition_tells_what_it_is(api: Api, phase: Phase, pages: TestClient) -> None:
    change(api, title="The cup", description="# Why\n\nForget **sixty** of [these](x) digits.\n\nMore.")
    page = pages.get("/competitions/cup/rules").text
    tags = told(page)
    assert "<title>The cup · Lethe</title>" in page
    assert (tags["og:title"], tags["og:description"]) == ("The cup", "Forget sixty of these digits.")
    assert tags["description"] == tags["og:description"]
    assert tags["og:url"] == tags["citation_public_url"] == "http://testserver/competitions/cup"
    assert 'href="http://testserver/api/competitions/cup/citation.bib"' in page
    picture = api.anonymous.get(tags["og:image"].removeprefix("http://testserver"))
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.format, image.size) == ("PNG", (1200, 630))


def test_a_link_to_a_leaderboard_tells_who_is_first(api: Api, phase: Phase, pages: TestClient) -> None:
    empty = api.anonymous.get(f"{OF_PHASE}/preview.png").content
    put(api, phase, "a", 0.1)
    put(api, phase, "b", 0.3)
    api.anonymous.keep_boards()
    for query in ("", "?phase=feedback"):
        tags = told(pages.get(f"/competitions/cup/leaderboard{query}").text)
        assert "2 entries. First: b with 0.3000" in tags["og:description"]
        assert tags["og:url"] == "http://testserver/competitions/cup/leaderboard?phase=feedback"
        assert tags["og:image"] == f"http://testserver{OF_PHASE}/preview.png"
    assert api.anonymous.get(f"{OF_PHASE}/preview.png").content != empty


def test_other_pages_are_served_as_they_are(phase: Phase, pages: TestClient) -> None:
    boards = ("none", "%00", "%ff", "x" * 300)
    for path in (
        *("/", "/submissions/1", "/competitions", "/competitions/none", "/competitions/none/leaderboard"),
        *(
            "/competitions/a%00",
            "/competitions/%ed%a0%80",
            *(f"/competitions/cup/leaderboard?phase={one}" for one in boards),
        ),
    ):
        answer = pages.get(path)
        assert (answer.status_code, answer.text) == (200, INDEX), path


def test_a_draft_tells_nothing_even_to_its_organiser(
    api: Api, phase: Phase, pages: TestClient, organiser: Caller
) -> None:
    headers = {"Authorization": f"Bearer {organiser.token}"}
    for visibility in (Visibility.DRAFT, Visibility.DELETED):
        change(api, visibility=visibility)
        for part in ("", "/leaderboard", "/rules"):
            assert pages.get(f"/competitions/cup{part}", headers=headers).text == INDEX
        for path in (f"{CUP}/preview.png", f"{CUP}/citation.bib", f"{OF_PHASE}/preview.png"):
            assert organiser.get(path).status_code == 404


def test_a_sealed_board_names_no_entry(api: Api, phase: Phase, pages: TestClient, organiser: Caller) -> None:
    submit_scored(api, api.caller("ada"), code(1), 0.777)
    make_final(organiser)
    start(api, organiser)
    page = pages.get("/competitions/cup/leaderboard?phase=final").text
    assert "sealed until" in told(page)["og:description"]
    assert "ada" not in page
    of_final = "/api/competitions/cup/phases/final"
    assert organiser.get(f"{of_final}/citations/ada.bib").status_code == 404
    assert organiser.get(f"{of_final}/preview.png").status_code == 200


def test_words_that_people_chose_are_no_markup(api: Api, phase: Phase, pages: TestClient) -> None:
    change(api, title=HOSTILE, description=HOSTILE)
    for path in ("/competitions/cup", "/competitions/cup/leaderboard"):
        page = pages.get(path).text
        assert page.count("<script") == 0
        assert page.count("</title>") == 1
        assert HOSTILE in told(page)["og:title"]
    bibtex = api.anonymous.get("/api/competitions/cup/citation.bib").text
    assert r"\& 100\% \{of\} \$x\_y\$" in bibtex
    assert yaml.safe_load(api.anonymous.get("/api/competitions/cup/citation.cff").text)["title"] == HOSTILE


def test_every_title_can_be_drawn(api: Api, phase: Phase) -> None:
    put(api, phase, "a-team-whose-name-is-as-long-as-allowed", 0.1)
    api.anonymous.keep_boards()
    for title in ("מבחן", "忘却" * 60, "\U0001f30a", "w" * 200, "a " * 99 + "a"):
        change(api, title=title)
        for path in (f"{CUP}/preview.png", f"{OF_PHASE}/preview.png"):
            assert api.anonymous.get(path).content.startswith(b"\x89PNG")


def test_an_entry_is_cited_as_a_work_of_its_team(api: Api, phase: Phase) -> None:
    put(api, phase, "ada.b", 0.25)
    api.anonymous.keep_boards()
    bibtex = api.anonymous.get(f"{OF_PHASE}/citations/ada.b.bib")
    assert bibtex.headers["content-type"].startswith("application/x-bibtex")
    assert bibtex.text.startswith("@misc{lethe-cup-feedback-ada-b,\n")
    assert "author = {{ada.b}}" in bibtex.text
    assert "0.2500 (95\\% interval" in bibtex.text
    assert "url = {http://testserver/competitions/cup/leaderboard?phase=feedback}" in bibtex.text
    cff = yaml.safe_load(api.anonymous.get(f"{OF_PHASE}/citations/ada.b.cff").text)
    assert (cff["cff-version"], cff["type"], cff["authors"]) == ("1.2.0", "software", [{"name": "ada.b"}])
    assert api.anonymous.get(f"{OF_PHASE}/citations/eve.bib").status_code == 404
    assert api.anonymous.get(f"{OF_PHASE}/citations/ada.b.doc").status_code == 422
