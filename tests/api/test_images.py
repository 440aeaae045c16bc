"""Images of a competition's pages: decoded and drawn anew, seen by whoever sees the competition."""

import io
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services.api.files import images
from services.core.models import Phase, Visibility
from tests.api.harness import Api, Caller
from tests.api.people import CUP
from tests.api.test_visibility import set_visibility
from tests.api.test_winners import acts

DIGIT = f"{CUP}/images/digit.png"
SCRIPT = b"<script>alert(1)</script>"


def drawn(form: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (9, 5), **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red").save(written, form, **options)
    return written.getvalue()


def put(caller: Caller, path: str, data: bytes) -> Any:
    return caller.request("PUT", path, content=data, headers={"Content-Type": "application/octet-stream"})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_image_is_shown_replaced_and_removed(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    made = put(organiser, DIGIT, drawn())
    assert made.status_code == 200, made.text
    assert (made.json()["name"], made.json()["width_px"], made.json()["height_px"]) == ("digit.png", 9, 5)
    shown = api.anonymous.get(DIGIT)
    assert (shown.headers["content-type"], shown.headers["x-content-type-options"]) == ("image/png", "nosniff")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    with Image.open(io.BytesIO(shown.content)) as image:
        assert image.size == (9, 5)

    assert put(organiser, DIGIT, drawn(size=(3, 3))).json()["width_px"] == 3
    assert [one["name"] for one in api.anonymous.get(f"{CUP}/images").json()["items"]] == ["digit.png"]
    for answer in (put(participant, DIGIT, drawn()), participant.request("DELETE", DIGIT)):
        assert answer.status_code == 403
    assert organiser.request("DELETE", DIGIT).status_code == 204
    assert code(api.anonymous.get(DIGIT)) == (404, "not_found")
    assert code(organiser.request("DELETE", DIGIT)) == (404, "not_found")
    assert {"image_added", "image_removed"} <= set(acts(api))


def test_nothing_but_pixels_of_a_file_is_kept(api: Api, phase: Phase, organiser: Caller) -> None:
    """A file that is an image and a page at once, or tells where a photograph was taken."""
    said = PngInfo()
    said.add_text("Comment", SCRIPT.decode())
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    files = {
        "a.png": drawn(pnginfo=said) + SCRIPT,
        "b.jpg": drawn("JPEG", exif=exif) + SCRIPT,
        "c.webp": drawn("WEBP", exif=exif) + SCRIPT,
    }
    for name, data in files.items():
        assert SCRIPT in data
        assert put(organiser, f"{CUP}/images/{name}", data).status_code == 200, name
        assert SCRIPT not in api.anonymous.get(f"{CUP}/images/{name}").content


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "1"])
def test_every_kind_of_pixel_is_drawn(api: Api, phase: Phase, organiser: Caller, mode: str) -> None:
    assert put(organiser, DIGIT, drawn(mode=mode)).status_code == 200


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b""),
        ("a.png", b"not an image"),
        ("a.png", drawn()[:40]),
        ("a.png", drawn("JPEG")),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.gif", drawn("GIF")),
        ("A.png", drawn()),
        ("a b.png", drawn()),
        (".png", drawn()),
        (f"{'a' * 57}.png", drawn()),
        ("a.png", drawn(size=(4000, 2001))),
    ],
)
def test_what_is_no_image_is_refused(api: Api, phase: Phase, organiser: Caller, name: str, data: bytes) -> None:
    answer = put(organiser, f"{CUP}/images/{name}", data)
    assert code(answer) in ((422, "bad_image"), (422, "invalid_request")), answer.text
    assert api.anonymous.get(f"{CUP}/images").json()["items"] == []


def test_there_are_bounds(api: Api, phase: Phase, organiser: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_IMAGES", 2)
    for name in ("a.png", "b.png", "b.png"):
        assert put(organiser, f"{CUP}/images/{name}", drawn()).status_code == 200
    assert code(put(organiser, f"{CUP}/images/c.png", drawn())) == (409, "too_many_images")
    assert code(put(organiser, DIGIT, bytes(1024**2 + 1))) == (413, "too_large")


def test_an_image_of_a_draft_is_seen_by_its_organisers(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    assert put(organiser, DIGIT, drawn()).status_code == 200
    set_visibility(api, Visibility.DRAFT)
    assert [caller.get(DIGIT).status_code for caller in (api.anonymous, participant, organiser)] == [404, 404, 200]
    set_visibility(api, Visibility.ARCHIVED)
    assert code(put(organiser, DIGIT, drawn())) == (409, "competition_archived")
    assert api.anonymous.get(DIGIT).status_code == 200
