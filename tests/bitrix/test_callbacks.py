from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.bitrix import callbacks
from b24app.bitrix.events import AppInstalled, AppTest, AppUninstalled, AppUpdated, Change, Event, Kind
from b24app.bitrix.sender import BadCallback
from tests import wire

SENT_AT = datetime.fromtimestamp(1780000000, UTC)
MEMBER = "3f1c0e5d7a9b4c2e8d6f0a1b2c3d4e5f"
SECRETS = ("access-9c1d", "refresh-77aa", "app-token-51f0", "66e412fdc9bd44.36306599|", "79001234567")


def event(name: str) -> Event:
    found = callbacks.event(wire.form(name))
    assert isinstance(found, Event)
    return found


def test_a_deal_update_names_the_deal_the_user_and_the_portal() -> None:
    found = event("deal_update")
    assert (found.kind, found.change, found.element_id, found.entity_type_id) == (Kind.ITEM, Change.UPDATE, 4821, 2)
    assert (found.handler_id, found.sent_at) == (31, SENT_AT)
    sender = found.sender
    assert (sender.member_id, sender.domain, sender.user_id) == (MEMBER, "okna.bitrix24.ru", 7)
    assert (sender.access_token, sender.refresh_token, sender.expires_in) == ("access-9c1d", None, 3600)
    assert sender.client_endpoint == "https://okna.bitrix24.ru/rest/"
    assert sender.server_endpoint == "https://oauth.bitrix24.tech/rest/"
    assert sender.scope == ("crm", "task", "bizproc")


def test_an_event_caused_by_a_robot_comes_without_user_and_tokens() -> None:
    sender = event("deal_update_by_robot").sender
    assert (sender.user_id, sender.access_token) == (None, None)
    assert sender.carries("app-token-51f0")


def test_a_change_of_pipeline_is_a_move_and_tells_where() -> None:
    found = event("deal_moved_to_category")
    assert (found.change, found.handler_id) == (Change.MOVE, None)
    assert found.fields == {"ID": "4821", "CATEGORY_ID": "9", "STAGE_ID": "C9:NEW"}


def test_an_item_of_a_smart_process_has_its_entity_type() -> None:
    found = event("dynamic_item_update")
    assert (found.kind, found.element_id, found.entity_type_id) == (Kind.ITEM, 15, 147)


@pytest.mark.parametrize(
    ("name", "change"), [("task_add", Change.ADD), ("task_update", Change.UPDATE), ("task_delete", Change.DELETE)]
)
def test_a_task_event_finds_the_task_beside_the_word_undefined(name: str, change: Change) -> None:
    found = event(name)
    assert (found.kind, found.change, found.element_id, found.task_id) == (Kind.TASK, change, 901, 901)


def test_a_comment_of_the_new_task_card_has_no_id_but_its_task() -> None:
    found = event("task_comment_new_card")
    assert (found.kind, found.element_id, found.task_id) == (Kind.TASK_COMMENT, None, 901)
    assert found.fields is not None
    assert found.fields["MESSAGE_ID"] == "55012"


@pytest.mark.parametrize("name", ["timeline_comment_flat", "timeline_comment_fields"])
def test_a_timeline_comment_is_found_in_either_place(name: str) -> None:
    found = event(name)
    assert (found.kind, found.change, found.element_id) == (Kind.TIMELINE_COMMENT, Change.ADD, 77)


def test_a_calendar_event_has_a_lower_case_id_and_a_mixed_case_name() -> None:
    found = event("calendar_entry_add")
    assert (found.name, found.kind, found.element_id) == ("ONCALENDARENTRYADD", Kind.CALENDAR_EVENT, 640)


def test_an_unknown_event_is_kept_without_a_meaning() -> None:
    body = wire.form("deal_update").replace(b"ONCRMDEALUPDATE", b"ONSOMETHINGNEW")
    found = callbacks.event(body)
    assert isinstance(found, Event)
    assert (found.kind, found.element_id) == (Kind.OTHER, None)


def test_an_installation_brings_a_refresh_token_and_scopes_with_spaces() -> None:
    found = callbacks.event(wire.form("app_install"))
    assert isinstance(found, AppInstalled)
    assert (found.active, found.installed, found.language, found.version) == (True, True, "ru", "1")
    assert found.sender.refresh_token == "refresh-77aa"
    assert found.sender.scope == ("crm", "task", "bizproc")
    assert found.sender.user_id is None


def test_an_update_tells_both_versions() -> None:
    found = callbacks.event(wire.form("app_update"))
    assert isinstance(found, AppUpdated)
    assert (found.version, found.previous_version) == ("3", "2")


def test_an_uninstallation_has_only_the_application_token_to_go_by() -> None:
    found = callbacks.event(wire.form("app_uninstall"))
    assert isinstance(found, AppUninstalled)
    assert found.clean
    assert found.sender.access_token is None
    assert found.sender.carries("app-token-51f0")


def test_a_test_event_gives_its_parameters_back() -> None:
    found = callbacks.event(wire.form("app_test"))
    assert isinstance(found, AppTest)
    assert found.query == {"probe": "41"}


def test_the_sender_is_read_before_the_business_data_is_interpreted() -> None:
    body = wire.form("deal_update").replace(b"4821", b"no-number")
    sender, form = callbacks.peek(body)
    assert sender.carries("app-token-51f0")
    with pytest.raises(BadCallback) as refused:
        callbacks.event_of(sender, form)
    assert refused.value.place == "data[FIELDS][ID]"


def test_an_application_token_is_compared_whole_and_never_empty() -> None:
    sender = event("deal_update").sender
    assert sender.carries("app-token-51f0")
    assert not sender.carries("app-token-51f")
    assert not sender.carries("жетон")
    assert not sender.carries("")


def test_a_robot_call_names_robot_item_token_and_properties() -> None:
    call = callbacks.robot_call("check_install_date", wire.form("robot_deal"))
    assert (call.code, call.entity_type_id, call.item_id) == ("check_install_date", 2, 4821)
    assert call.document_id == ("crm", "CCrmDocumentDeal", "DEAL_4821")
    assert call.event_token == "66e412fdc9bd44.36306599|A1_2_3_4|B7.0f1e2d3c4b5a"
    assert call.properties == {"days": "3", "strict": "Y", "to": ["user_5", "user_7"], "note": ""}
    assert (call.use_subscription, call.timeout, call.sent_at) == (True, 3600, SENT_AT)
    assert call.sender.refresh_token == "refresh-77aa"


def test_a_robot_on_a_smart_process_without_properties_is_understood() -> None:
    call = callbacks.robot_call("autotask", wire.form("robot_dynamic"))
    assert (call.entity_type_id, call.item_id, call.properties) == (147, 15, {})
    assert call.use_subscription is False


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"code=check_install_date", b"code=another", "code"),
        (b"DEAL_4821", b"TASK_5", "document_id"),
        (b"document_id%5B0%5D=crm", b"document_id%5B0%5D=lists", "document_id"),
        (b"document_id%5B2%5D=DEAL_4821", b"x=1", "document_id"),
        (b"event_token=", b"x=", "event_token"),
        (b"use_subscription=Y", b"use_subscription=maybe", "use_subscription"),
        (b"properties%5Bto%5D%5B0%5D", b"properties%5Bto%5D%5Bx%5D", "properties[to]"),
        (b"ts=1780000000", b"ts=soon", "ts"),
        (b"ts=1780000000", b"ts=999999999999999", "ts"),
        (b"auth%5Bapplication_token%5D=app-token-51f0", b"x=1", "auth[application_token]"),
        (b"auth%5Bmember_id%5D=", b"auth%5Bmember_id%5D=../", "auth[member_id]"),
        (b"auth%5Bclient_endpoint%5D=https", b"auth%5Bclient_endpoint%5D=file", "auth[client_endpoint]"),
    ],
)
def test_a_malformed_robot_call_is_refused_at_its_place(old: bytes, new: bytes, place: str) -> None:
    body = wire.form("robot_deal")
    assert old in body
    with pytest.raises(BadCallback) as refused:
        callbacks.robot_call("check_install_date", body.replace(old, new))
    assert refused.value.place == place


def test_a_card_tab_knows_its_deal_and_its_opener() -> None:
    opened = callbacks.page(wire.form("page_query"), wire.form("page_deal_tab"))
    assert (opened.placement, opened.item, opened.language) == ("CRM_DEAL_DETAIL_TAB", (2, 4821), "ru")
    assert opened.app_sid == "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    sender = opened.sender
    assert (sender.member_id, sender.domain, sender.user_id) == (MEMBER, "okna.bitrix24.ru", None)
    assert (sender.access_token, sender.refresh_token) == ("access-9c1d", "refresh-77aa")
    assert sender.client_endpoint == "https://okna.bitrix24.ru/rest/"
    assert sender.scope == ("crm", "task", "placement")


def test_the_main_page_of_an_older_portal_comes_without_application_token() -> None:
    opened = callbacks.page("DOMAIN=127.0.0.1:8081&PROTOCOL=0&LANG=en", wire.form("page_main_older"))
    assert (opened.placement, opened.options, opened.item) == ("DEFAULT", {}, None)
    assert opened.sender.client_endpoint == "http://127.0.0.1:8081/rest/"
    assert not opened.sender.carries("app-token-51f0")


@pytest.mark.parametrize("options", [b"", b"[]", b"null", b"%7B%7D"])
def test_placement_options_may_be_empty_in_every_way(options: bytes) -> None:
    body = wire.form("page_main_older") + b"&PLACEMENT_OPTIONS=" + options
    assert callbacks.page(wire.form("page_query"), body).options == {}


def test_a_task_tab_knows_its_task() -> None:
    body = wire.form("page_main_older").replace(b"DEFAULT", b"TASK_VIEW_TAB")
    opened = callbacks.page(wire.form("page_query"), body + b"&PLACEMENT_OPTIONS=%7B%22taskId%22%3A%22901%22%7D")
    assert opened.task_id == 901
    assert opened.item is None


def test_a_list_menu_of_a_smart_process_knows_the_type_from_its_code() -> None:
    body = wire.form("page_main_older").replace(b"DEFAULT", b"CRM_DYNAMIC_147_LIST_MENU")
    opened = callbacks.page(wire.form("page_query"), body + b"&PLACEMENT_OPTIONS=%7B%22ID%22%3A15%7D")
    assert opened.item == (147, 15)


@pytest.mark.parametrize(
    ("query", "old", "new", "place"),
    [
        ("LANG=ru", b"", b"", "DOMAIN"),
        ("DOMAIN=evil.example/path", b"", b"", "DOMAIN"),
        ("DOMAIN=user@evil.example", b"", b"", "DOMAIN"),
        ("DOMAIN[x]=1", b"", b"", "DOMAIN"),
        ("DOMAIN=%FF", b"", b"", "query field 1"),
        ("DOMAIN=ok.ru", b"AUTH_ID=access-9c1d", b"x=1", "AUTH_ID"),
        ("DOMAIN=ok.ru", b"member_id=", b"x=", "member_id"),
        ("DOMAIN=ok.ru", b"PLACEMENT=DEFAULT", b"PLACEMENT_OPTIONS=%7B", "PLACEMENT_OPTIONS"),
        ("DOMAIN=ok.ru", b"PLACEMENT=DEFAULT", b"PLACEMENT_OPTIONS=%5B1%5D", "PLACEMENT_OPTIONS"),
    ],
)
def test_a_malformed_page_opening_is_refused_at_its_place(query: str, old: bytes, new: bytes, place: str) -> None:
    with pytest.raises(BadCallback) as refused:
        callbacks.page(query, wire.form("page_main_older").replace(old, new))
    assert refused.value.place == place


def test_a_message_to_send_names_whom_what_and_about_what() -> None:
    request = callbacks.sms_request(wire.form("sms_request"))
    assert (request.code, request.message_id, request.to) == ("house_gateway", "9f3b7c", "+79001234567")
    assert request.text == "Замер завтра в 10:00"
    assert request.bindings == ({"OWNER_TYPE_ID": "2", "OWNER_ID": "4821"},)
    assert (request.module, request.document) == ("crm", None)


def test_a_message_without_an_addressee_is_refused() -> None:
    with pytest.raises(BadCallback, match="message_to"):
        callbacks.sms_request(wire.form("sms_request").replace(b"message_to", b"x"))


def test_no_secret_shows_in_the_text_of_a_callback() -> None:
    shown = [
        repr(callbacks.event(wire.form("app_install"))),
        repr(callbacks.robot_call("check_install_date", wire.form("robot_deal"))),
        repr(callbacks.page(wire.form("page_query"), wire.form("page_deal_tab"))),
        repr(callbacks.sms_request(wire.form("sms_request"))),
    ]
    assert [secret for secret in SECRETS if secret in "".join(shown)] == []


SAMPLES = ["deal_update", "task_update", "app_install", "robot_deal", "sms_request", "page_deal_tab"]


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_callback_is_read_or_refused_and_nothing_else(name: str, data: st.DataObject) -> None:
    lines = wire.form(name).split(b"&")
    place = data.draw(st.integers(0, len(lines) - 1))
    damage = [b"", lines[place] + b"%5Bx%5D=1", lines[place].partition(b"=")[0] + b"%5B%5D=1", b"data=1", b"auth=1"]
    lines[place] = data.draw(st.sampled_from(damage) | st.binary(max_size=20))
    body = b"&".join(lines)
    for read in (
        callbacks.event,
        callbacks.sms_request,
        lambda body: callbacks.robot_call("check_install_date", body),
        lambda body: callbacks.page(b"DOMAIN=ok.ru", body),
    ):
        try:
            read(body)
        except BadCallback as refused:
            assert refused.place
