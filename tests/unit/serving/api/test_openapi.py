"""Every route of the API, asked what its documentation allows and what it does not.

A third of the usual number of examples each, since every one is a request:
`FUZZ_EXAMPLES=1000 python -m pytest tests/unit/serving/api/test_openapi.py` sends 11,000 requests.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", hypothesis_settings().max_examples // 3))
ROUTES = [
    ("POST", "/api/predict"),
    ("POST", "/api/predict/batch"),
    ("POST", "/api/feedback"),
    *(("POST", f"/api/{name}") for name in ("retrain", "retrain/cancel", "promote", "rollback")),
    *(("GET", f"/api/{name}") for name in ("retrain/status", "production-log")),
    ("POST", "/api/upload/training-data"),
    ("GET", "/api/training-data"),
    ("GET", "/api/training-data/questions"),
    ("POST", "/api/training-data/questions"),
    *(("GET", path) for path in ("/api/health", "/api/ready", "/api/model", "/api/stats", "/metrics", "/api/history")),
]
PATIENCE = 120  # s: whoever promotes first waits for MLflow to be imported and its tables to be made
MATTERS_OF_CONTENT = [positive_data_acceptance, negative_data_rejection]  # no schema tells a picture from other bytes
few = hypothesis_settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def documentation(url):
    return schemathesis.openapi.from_url(f"{url}openapi.json")


def test_every_route_is_asked(documentation):
    assert {(each.ok().method.upper(), each.ok().path) for each in documentation.get_all_operations()} == set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_keeps_what_it_documents(documentation, method, path, url, operator_keys):
    operation = documentation[path][method]
    taking = operation.query or operation.body
    key = {"X-API-Key": operator_keys[url]}
    modes = list(GenerationMode) if taking else [GenerationMode.POSITIVE]

    @few
    @given(st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes)))
    def check(case):
        case.call_and_validate(headers=key, excluded_checks=MATTERS_OF_CONTENT, timeout=PATIENCE)

    check()
