"""The alerts and the table of docs/operate.md name the metrics that the program has, and no others."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from services.core.models import Role
from tests.api.conftest import api, settings
from tests.api.harness import Api

__all__ = ["api", "settings"]

PAGE = Path(__file__).parents[2] / "docs" / "operate.md"
SUFFIXES = r"_(bucket|count|sum)$"


def test_every_metric_of_the_page_exists(api: Api) -> None:
    text = api.caller("root", Role.OPERATOR).get("/api/admin/metrics").text
    families = {family.name for family in text_string_to_metric_families(text)}
    known = {name for family in families for name in (family, f"{family}_total")}
    page = PAGE.read_text()
    alerts = re.findall(r"expr: (.*)", page)
    assert len(alerts) >= 8
    named = {re.sub(SUFFIXES, "", name) for name in re.findall(r"\blethe_\w+", " ".join(alerts))}
    listed = set(re.findall(r"^\| `(lethe_\w+)", page, re.MULTILINE))
    assert named | listed <= known
    assert {name.removesuffix("_total") for name in listed} == families - {"lethe_api_request_seconds_created"}
