from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.bitrix import errors
from b24app.bitrix.answers import classify, clean
from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Reply, Timing, timing


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Reply | PortalError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify("crm.item.get", status, raw, headers or {})


def test_an_answer_with_a_result_is_a_reply_with_its_paging_and_time() -> None:
    body = {"result": [{"ID": "1"}], "total": 130, "next": 50, "time": {"duration": 0.5, "operating": 2}}
    assert answered(200, body) == Reply([{"ID": "1"}], 130, 50, Timing(duration=0.5, operating=2.0))


@pytest.mark.parametrize("result", [None, False, [], 0, ""])
def test_an_empty_result_is_still_a_reply(result: Any) -> None:
    assert answered(200, {"result": result}) == Reply(result)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (503, "QUERY_LIMIT_EXCEEDED", errors.QueryLimit),
        (429, "OPERATION_TIME_LIMIT", errors.MethodBlocked),
        (429, "SOMETHING_NEW", errors.QueryLimit),
        (503, "OVERLOAD_LIMIT", errors.OverloadBlocked),
        (401, "expired_token", errors.TokenExpired),
        (401, "NO_AUTH_FOUND", errors.TokenRefused),
        (401, "invalid_token", errors.TokenRefused),
        (401, "INVALID_CREDENTIALS", errors.TokenRefused),
        (403, "INVALID_CREDENTIALS", errors.AccessDenied),
        (401, "APPLICATION_NOT_FOUND", errors.AuthLost),
        (401, "CONNECTION_ERROR", errors.Transient),
        (403, "insufficient_scope", errors.AccessDenied),
        (401, "insufficient_scope", errors.AccessDenied),
        (403, "user_access_error", errors.AccessDenied),
        (403, "ACCESS_DENIED", errors.AccessDenied),
        (400, "Access denied", errors.AccessDenied),
        (403, "WRONG_AUTH_TYPE", errors.AccessDenied),
        (400, "NOT_FOUND", errors.NotFound),
        (400, "OWNER_NOT_FOUND", errors.NotFound),
        (400, "ERROR_ACTIVITY_NOT_FOUND", errors.NotFound),
        (404, "ERROR_METHOD_NOT_FOUND", errors.MethodMissing),
        (400, "INVALID_REQUEST", errors.Refused),
        (400, "ERROR_CORE", errors.Refused),
        (400, "", errors.Refused),
        (400, 0, errors.Refused),
        (400, 100, errors.Refused),
        (400, 1048582, errors.Refused),
        (200, "ERROR_PLACEMENT_MAX_COUNT", errors.Refused),
        (200, "", errors.Refused),
        (500, "INTERNAL_SERVER_ERROR", errors.ServerTrouble),
        (500, "ERROR_UNEXPECTED_ANSWER", errors.ServerTrouble),
        (500, "", errors.ServerTrouble),
        (500, "PORTAL_DELETED", errors.PortalGone),
        (401, "PAYMENT_REQUIRED", errors.PortalGone),
    ],
)
def test_a_code_and_status_choose_the_error_type(status: int, code: Any, kind: type[PortalError]) -> None:
    error = answered(status, {"error": code, "error_description": "why"})
    assert type(error) is kind
    assert (error.code, error.status, error.description) == (str(code), status, "why")
    assert error.method == "crm.item.get"


def test_a_plan_without_rest_means_the_portal_is_gone_for_us() -> None:
    body = {"error": "ACCESS_DENIED", "error_description": "REST API is available only on commercial plans"}
    assert isinstance(answered(403, body), errors.PortalGone)


def test_an_error_of_rest_3_is_read_from_its_object() -> None:
    error = answered(400, {"error": {"code": "BITRIX_REST_V3_EXCEPTION_ENTITYNOTFOUNDEXCEPTION", "message": "no task"}})
    assert isinstance(error, errors.NotFound)
    assert error.description == "no task"


def test_a_blocked_method_says_until_when() -> None:
    body = {"error": "OPERATION_TIME_LIMIT", "time": {"operating_reset_at": 1780000300}}
    error = answered(429, body)
    assert isinstance(error, errors.MethodBlocked)
    assert error.until == datetime.fromtimestamp(1780000300, UTC)


def test_the_portals_wish_to_wait_is_kept() -> None:
    error = answered(503, {"error": "QUERY_LIMIT_EXCEEDED"}, {"Retry-After": "7"})
    assert isinstance(error, errors.QueryLimit)
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>Bad Gateway</html>"),
        (200, b"<html>login</html>"),
        (200, b'{"result": {"id": 1'),
        (200, b""),
        (200, b"[1, 2]"),
        (200, b"\xff\xfe"),
        (200, b'{"time": {}}'),
        (200, b"[" * 100_000),
        (403, b"Forbidden"),
        (302, b""),
    ],
)
def test_an_answer_that_is_no_answer_leaves_the_outcome_unknown(status: int, body: bytes) -> None:
    error = answered(status, body)
    assert isinstance(error, errors.ServerTrouble)
    assert error.outcome_unknown


def test_a_proxy_that_refuses_size_or_rate_is_understood_without_json() -> None:
    assert type(answered(413, b"too large")) is errors.Refused
    assert isinstance(answered(429, b"slow down"), errors.QueryLimit)


@pytest.mark.parametrize(
    ("location", "endpoint"),
    [
        ("https://new.bitrix24.ru/rest/crm.item.get", "https://new.bitrix24.ru/rest/"),
        ("https://new.example:8443/rest/crm.item.get", "https://new.example:8443/rest/"),
        ("http://user:pw@10.0.0.5:80/", "http://10.0.0.5:80/rest/"),
    ],
)
def test_a_moved_portal_names_its_new_host_and_port(location: str, endpoint: str) -> None:
    error = answered(302, b"", {"Location": location})
    assert isinstance(error, errors.PortalMoved)
    assert error.endpoint == endpoint
    assert error.stops_portal


@pytest.mark.parametrize("location", ["", "/login/", "ftp://x/", "https://", "https://x:99999/", "http://[::1"])
def test_a_redirect_to_nowhere_is_no_move(location: str) -> None:
    assert isinstance(answered(302, b"", {"Location": location}), errors.ServerTrouble)


def test_a_description_never_carries_a_token() -> None:
    body = {"error": "X", "error_description": 'bad auth=abc123 for access-9c1d, "refresh_token":"r77"'}
    error = classify("m", 400, json.dumps(body).encode(), {}, hide=("access-9c1d",))
    assert isinstance(error, PortalError)
    for secret in ("abc123", "access-9c1d", "r77"):
        assert secret not in str(error)


def test_a_description_is_clipped() -> None:
    assert len(clean("x" * 10_000)) == 500


def test_a_time_block_is_read_as_far_as_it_makes_sense() -> None:
    assert timing([]) == Timing()
    assert timing({"operating": "1", "duration": True, "start": -1, "finish": 1e300}) == Timing()
    assert timing({"start": 1780000000}).start == datetime.fromtimestamp(1780000000, UTC)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("result", "error", "error_description", "time", "total", "next"), JSON_VALUES)
)


@given(st.integers(100, 599), BODIES)
@settings(max_examples=100, deadline=None)
def test_any_json_is_classified_without_an_accident(status: int, body: dict[str, Any]) -> None:
    assert isinstance(answered(status, body), Reply | PortalError)
