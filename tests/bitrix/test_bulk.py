"""The measured faults of fast-bitrix24 1.8.14 must not come through; each has a test here."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from b24app.bitrix import errors
from b24app.bitrix.bulk import BulkReader, Row
from b24app.bitrix.errors import PortalError
from tests.bitrix.doubles import Budget, Notes, Tokens
from tests.bitrix.peer import HANG_UP, Peer, cut, http, peer

EXPIRED = http({"error": "expired_token"}, "401 Unauthorized")
PARAMS = {"entityTypeId": 2, "filter": {">ID": 10}}
SOON = 20.0  # seconds, far more than a read on loopback takes


def page(first: int, count: int, **more: Any) -> dict[str, Any]:
    rows = [{"ID": number, "STAGE_ID": "NEW"} for number in range(first, first + count)]
    return {"result": {"items": rows}, "time": {"operating": 479.9}, **more}


def batch(*pages: dict[str, Any], failed: dict[str, Any] | None = None) -> dict[str, Any]:
    results = {f"cmd{place:010}": body["result"] for place, body in enumerate(pages)}
    return {
        "result": {"result": results, "result_error": failed or [], "result_time": {"cmd0000000000": {"operating": 12.5}}}
    }


FIRST = http(page(11, 50, total=120, next=50))
REST = http(batch(page(111, 20), page(61, 50)))  # pages come in any order


def reader(portal: Peer, tokens: Tokens | None = None, budget: Budget | None = None, **more: Any) -> BulkReader:
    return BulkReader(portal.endpoint, tokens or Tokens(), budget or Budget(), user_agent="b24app/0.1", **more)


def ids(rows: list[Row]) -> list[int]:
    return [row["ID"] for row in rows]


def test_every_row_is_read_once_in_the_order_of_ids_within_the_budget() -> None:
    budget, notes = Budget(), Notes()
    with peer(FIRST, REST) as portal:
        rows = reader(portal, budget=budget, observer=notes).rows("crm.stagehistory.list", PARAMS, SOON)
        requests = portal.requests
    assert ids(rows) == list(range(11, 131))
    assert budget.asked == 2
    assert [method for method, _ in requests] == ["crm.stagehistory.list", "batch"]
    assert [body["auth"] for _, body in requests] == ["t1", "t1"]
    assert requests[0][1]["filter"] == {">ID": 10}
    assert "filter[%3EID]=10" in requests[1][1]["cmd"]["cmd0000000000"]
    assert [outcome for _, _, outcome in notes.requests] == ["ok", "ok"]
    assert notes.operating == [479.9, 12.5]


def test_an_empty_list_is_no_rows() -> None:
    with peer(http({"result": {"items": []}, "total": 0})) as portal:
        assert reader(portal).rows("crm.stagehistory.list", PARAMS, SOON) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http({"error": "INTERNAL_SERVER_ERROR"}, "500 Oops"), errors.ServerTrouble),
        (http({"error": "QUERY_LIMIT_EXCEEDED"}, "503 Busy"), errors.QueryLimit),
        (http({"error": "OPERATION_TIME_LIMIT"}, "429 Stop"), errors.MethodBlocked),
        (http({"error": "ACCESS_DENIED"}, "403 No"), errors.AccessDenied),
        (http(b"<html>", content_type="text/html"), errors.ServerTrouble),
        (http({"result": []}, content_type="text/html"), errors.ServerTrouble),
        (http(batch(failed={"cmd0000000000": {"error": "OPERATION_TIME_LIMIT"}})), errors.MethodBlocked),
        (HANG_UP, errors.LostReply),
        (cut(REST), errors.LostReply),
    ],
)
def test_a_failed_request_is_told_as_it_was_and_not_repeated(answer: bytes, kind: type[PortalError]) -> None:
    with peer(FIRST, answer) as portal:
        with pytest.raises(kind):
            reader(portal).rows("crm.stagehistory.list", PARAMS, SOON)
        assert len(portal.requests) == 2


def test_a_portal_that_is_not_there_is_unreachable() -> None:
    with peer() as portal:
        endpoint = portal.endpoint
    lost = BulkReader(endpoint, Tokens(), Budget(), user_agent="b24app/0.1")
    with pytest.raises(errors.Unreachable):
        lost.rows("crm.stagehistory.list", PARAMS, SOON)


def test_an_expired_token_is_renewed_once_and_the_list_read_again() -> None:
    tokens = Tokens()
    with peer(FIRST, EXPIRED, FIRST, REST) as portal:
        rows = reader(portal, tokens).rows("crm.stagehistory.list", PARAMS, SOON)
        assert [body["auth"] for _, body in portal.requests] == ["t1", "t1", "t2", "t2"]
    assert len(rows) == 120
    assert tokens.renewed == ["t1"]


def test_a_token_refused_for_good_ends_the_read() -> None:
    with peer(EXPIRED, EXPIRED) as portal:
        with pytest.raises(errors.TokenExpired):
            reader(portal).rows("crm.stagehistory.list", PARAMS, SOON)
        assert len(portal.requests) == 2


def test_a_renewal_that_fails_is_raised_and_the_next_read_works() -> None:
    tokens = Tokens(errors.OAuthTrouble("", "no answer"))
    with peer(EXPIRED, FIRST, REST) as portal:
        bulk = reader(portal, tokens)
        with pytest.raises(errors.OAuthTrouble):
            bulk.rows("crm.stagehistory.list", PARAMS, SOON)
        assert len(bulk.rows("crm.stagehistory.list", PARAMS, SOON)) == 120


def test_rows_that_went_missing_meanwhile_are_noticed() -> None:
    with peer(FIRST, http(batch(page(61, 50)))) as portal, pytest.raises(errors.IncompleteRead, match="100 of 120"):
        reader(portal).rows("crm.stagehistory.list", PARAMS, SOON)


def test_a_budget_that_never_grants_meets_the_deadline() -> None:
    with peer() as portal, pytest.raises(errors.DeadlinePassed):
        reader(portal, budget=Budget(60.0)).rows("crm.stagehistory.list", PARAMS, 0.05)


def test_a_short_wait_for_the_budget_is_waited_out() -> None:
    budget = Budget(0.001, 0.001)
    with peer(FIRST, REST) as portal:
        assert len(reader(portal, budget=budget).rows("crm.stagehistory.list", PARAMS, SOON)) == 120
    assert budget.asked == 4


def test_an_error_of_the_budget_itself_is_not_swallowed() -> None:
    class Broken(Budget):
        def take(self, hits: int = 1) -> float:
            raise LookupError("no such portal")

    with peer() as portal, pytest.raises(LookupError, match="no such portal"):
        reader(portal, budget=Broken()).rows("crm.stagehistory.list", PARAMS, SOON)


@pytest.mark.parametrize("params", [{"order": {"ID": "DESC"}}, {"START": 50}])
def test_a_bulk_read_takes_no_order_and_no_start(params: dict[str, Any]) -> None:
    with peer() as portal, pytest.raises(ValueError, match="paging"):
        reader(portal).rows("crm.stagehistory.list", params, SOON)


def test_values_the_library_would_write_as_words_are_refused() -> None:
    with peer() as portal, pytest.raises(TypeError):
        reader(portal).rows("crm.item.list", {"filter": {"opened": True}}, SOON)


def test_threads_may_share_a_reader() -> None:
    counts: list[int] = []
    with peer(*[http(page(1, 50, total=50))] * 4) as portal:
        bulk = reader(portal)
        threads = [
            threading.Thread(target=lambda: counts.append(len(bulk.rows("crm.stagehistory.list", PARAMS, SOON))))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [50] * 4
