"""Requests made up from the schema, as every role: no fault of ours, and every answer as documented."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as bounds
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import update

from services.api.kit.policy import Access
from services.core.models import BenchmarkRow, Role
from services.core.settings import Settings
from tests.api.harness import ORIGIN, Api, prepare, running
from tests.bundles import make_tiny_bundle

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = dict(zip(Access, (None, *Role), strict=True))
BOUNDS = bounds(
    max_examples=4,  # of each operation, role and database
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("access", list(Access), ids=lambda access: access.name.lower())
def test_made_up_requests_are_answered_as_documented(settings: Settings, access: Access, tmp_path: Path) -> None:
    manifest = make_tiny_bundle(tmp_path / "tiny").manifest.model_dump(mode="json")
    with running(settings) as api:
        participant = prepare(api)
        with api.database.write() as session:
            session.execute(update(BenchmarkRow).values(manifest=manifest))
        submission = participant.submit().json()["id"]
        participant.post(f"/api/submissions/{submission}/cancel")  # so that its events have an end
        known = {"slug": "cup", "phase": "feedback", "submission_id": submission}
        operations: Any = schemathesis.openapi.from_dict(api.app.openapi()).get_all_operations()
        for found in operations:
            _try_operation(api, found.ok(), known, access)


def _try_operation(api: Api, operation: Any, known: dict[str, str], access: Access) -> None:
    role = ROLES[access]
    caller = api.caller(f"u{uuid4().hex[:12]}", role) if role else api.anonymous
    authorization = {"Authorization": f"Bearer {caller.token}"} if caller.token else {"Origin": ORIGIN}

    @seed(access)
    @BOUNDS
    @given(case=operation.as_strategy(), existing=st.booleans())
    def attempt(case: Any, existing: bool) -> None:
        if existing:
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        sent = case.as_transport_kwargs(base_url=ORIGIN)
        sent["headers"] = {**sent.get("headers", {}), **authorization}
        sent.pop("cookies", None)
        body = sent.pop("data", None)
        answer = api.client.request(**sent, **({} if body is None else {"content": body}))
        # OpenAPI 3.1 cannot describe the items of a stream; test_events.py reads them.
        streamed = answer.headers.get("content-type", "").startswith("text/event-stream")
        case.validate_response(answer, checks=CHECKS, excluded_checks=[response_schema_conformance] if streamed else [])

    attempt()
