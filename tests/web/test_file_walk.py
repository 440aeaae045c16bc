"""What an organiser does with a competition's file in a browser: write it, mend it, look at it, apply it, change it."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.web.browsing import accessibility_faults, settle, sign_in
from tests.web.gallery import ORGANISER, Gallery

FILE = """\
lethe: 1
slug: walked
titel: Walked
title: Walked
visibility: public
description: |
  Forget **digits**.

  <script>window.hacked = 1</script> ![a picture](https://example.org/picture.png)
rules: Be honest.
phases:
  - slug: feedback
    kind: feedback
    benchmark: tiny
    opens_at: 2026-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 16
"""


def test_a_competition_is_made_and_changed_by_its_file(
    context: BrowserContext, page: Page, gallery: Gallery, tmp_path: Path
) -> None:
    sign_in(context, gallery.url, gallery.tokens[ORGANISER])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{gallery.url}/")
    page.get_by_role("link", name="begin with a file").click()
    (tmp_path / "competition.yaml").write_text(FILE)
    page.get_by_label("Upload a file").set_input_files(tmp_path / "competition.yaml")
    source = page.get_by_label("competition.yaml", exact=True)
    expect(source).to_have_value(FILE)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 3, titel: There is no field `titel`. Did you mean `title`?")

    source.fill(FILE.replace("titel: Walked\n", ""))
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="A new competition")).to_be_visible()
    settle(page)
    assert accessibility_faults(page) == []
    _apply(page)

    expect(page.get_by_role("heading", name="Walked")).to_be_visible()
    expect(page.locator("strong", has_text="digits")).to_be_visible()
    expect(page.get_by_text("<script>window.hacked = 1</script>")).to_be_visible()
    settle(page)
    assert page.locator("main :is(img, script)").count() == 0
    assert all(url.startswith((gallery.url, "blob:", "data:")) for url in asked)

    page.get_by_role("link", name="Organise", exact=True).click()
    page.get_by_role("link", name="File", exact=True).click()
    kept = source.input_value()
    source.fill(kept.replace("seeds: 16", "seeds: 8").replace("Be honest.", "Be very honest."))
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("main")).to_contain_text("phases.feedback.seeds")
    expect(page.get_by_text("needs confirmation")).to_be_visible()
    expect(page.get_by_role("button", name="Apply")).to_be_disabled()
    page.get_by_label("Change also what participants").check()
    settle(page)
    assert accessibility_faults(page) == []
    _apply(page)
    expect(page.get_by_role("status")).to_have_text("Applied as version 2.")
    expect(page.get_by_text("Version 2,")).to_be_visible()

    page.get_by_role("link", name="Announcements").click()
    expect(page.get_by_role("heading", name="Settings of an open phase have changed")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("feedback.seeds: 16 before, 8 now")
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("Be very honest.")
    page.get_by_role("link", name="Organise", exact=True).click()
    page.get_by_role("link", name="File", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Competitions", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Walked")).to_have_count(0)


def _apply(page: Page) -> None:
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply").click()
