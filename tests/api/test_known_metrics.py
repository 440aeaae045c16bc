"""`GET /api/metrics`: open to everybody, kept by whoever asks, and what decides which metric a phase may have."""

from services.core import catalogue
from tests.api.harness import Api, Caller


def test_it_lists_everything_that_a_score_can_carry(api: Api) -> None:
    found = api.anonymous.get("/api/metrics")
    assert found.status_code == 200
    shown = found.json()
    assert [one["name"] for one in shown["metrics"]] == list(catalogue.METRICS)
    assert shown["default_metric"] == catalogue.DEFAULT_METRIC
    assert [one["name"] for one in shown["flags"]] == list(catalogue.FLAGS)
    assert [one["kind"] for one in shown["alarms"]] == list(catalogue.ALARMS)
    kit = next(one for one in shown["suites"] if one["name"] == "starting-kit")
    assert kit["columns"][0] == {
        "name": "mia_accuracy",
        "title": "Attack accuracy",
        "unit": "share",
        "better": "oracle",
        "meaning": "accuracy of an attack on losses that tells forget from test examples",
        "oracle_column": "mia_accuracy_oracle",
    }


def test_it_is_sent_once(api: Api) -> None:
    found = api.anonymous.get("/api/metrics")
    assert found.headers["cache-control"].startswith("public, max-age=")
    again = api.anonymous.get("/api/metrics", headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_phase_by_a_metric_that_it_does_not_list_is_refused(api: Api, organiser: Caller) -> None:
    organiser.post("/api/competitions", json={"slug": "cup", "title": "Cup"})
    refused = organiser.post(
        "/api/competitions/cup/phases",
        json={
            "slug": "feedback",
            "kind": "feedback",
            "benchmark": "tiny",
            "closes_at": "2099-01-01T00:00:00Z",
            "metric": "accuracy",
        },
    )
    assert refused.status_code == 422
    assert "Choose one of: neurips-2023, lethe-1, lethe-2." in refused.text
