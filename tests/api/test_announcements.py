"""What organisers announce: on the page, in an Atom feed, on record; and what nobody may put there."""

from xml.etree.ElementTree import fromstring

from services.core.models import Phase, Role
from tests.api.harness import ORIGIN, Api, Caller

PATH = "/api/competitions/cup/announcements"
ATOM = "{http://www.w3.org/2005/Atom}"


def test_an_announcement_is_on_the_page_in_the_feed_and_on_record_until_it_is_retracted(
    api: Api, phase: Phase, organiser: Caller
) -> None:
    empty = api.anonymous.get(f"{PATH}.atom")
    first = organiser.post(PATH, json={"title": "Deadline <moved> & fixed", "body": "One.\n\nTwo ]]> three."}).json()
    second = organiser.post(PATH, json={"title": "Second", "body": "More."}).json()

    listed = api.anonymous.get(PATH, params={"limit": 1}).json()
    assert listed["items"] == [second]
    assert api.anonymous.get(PATH, params={"after": listed["next"]}).json()["items"] == [first]

    feed = api.anonymous.get(f"{PATH}.atom")
    tree = fromstring(feed.content)
    assert feed.headers["Content-Type"] == "application/atom+xml"
    assert [entry.findtext(f"{ATOM}title") for entry in tree.iter(f"{ATOM}entry")] == [
        "Second",
        "Deadline <moved> & fixed",
    ]
    assert tree.findall(f"{ATOM}entry")[1].findtext(f"{ATOM}content") == "One.\n\nTwo ]]> three."
    links = {link.get("rel"): link.get("href") for link in tree.findall(f"{ATOM}link")}
    assert links == {"self": f"{ORIGIN}{PATH}.atom", "alternate": f"{ORIGIN}/competitions/cup"}
    assert api.anonymous.get(f"{PATH}.atom", headers={"If-None-Match": feed.headers["ETag"]}).status_code == 304
    assert not list(fromstring(empty.content).iter(f"{ATOM}entry"))

    assert organiser.post(f"{PATH}/{first['id']}/retract").status_code == 200
    assert api.anonymous.get(PATH).json()["items"] == [second]
    assert organiser.post(f"{PATH}/{first['id']}/retract").status_code == 404
    acts = organiser.get("/api/competitions/cup/audit").json()["items"]
    assert [act["act"] for act in acts] == ["announcement_retracted", "announced", "announced"]
    assert acts[0]["details"]["body"] == "One.\n\nTwo ]]> three."


def test_only_the_organiser_announces_and_only_legible_text(api: Api, phase: Phase, organiser: Caller) -> None:
    post = {"title": "Title", "body": "Body."}
    for caller in (api.caller("eve"), api.caller("mallory", Role.ORGANISER)):
        assert caller.post(PATH, json=post).status_code == 403
    for change in (
        {"title": ""},
        {"title": "a\nb"},
        {"body": " "},
        {"body": "\x1b[31m"},
        {"body": "\u202e"},
        {"body": "a" * 20001},
    ):
        assert organiser.post(PATH, json=post | change).status_code == 422, change
    made = organiser.post(PATH, json=post).json()
    assert api.caller("other", Role.ORGANISER).post(f"{PATH}/{made['id']}/retract").status_code == 403
    assert api.anonymous.get("/api/competitions/none/announcements.atom").status_code == 404
