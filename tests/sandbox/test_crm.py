"""Items, fields, pipelines, stage history."""

from __future__ import annotations

import base64

import pytest

from tests.sandbox.conftest import ADMIN, MANAGER, Desk


def complaint(desk: Desk) -> str:
    assert len(desk.world.complaints) == 1, desk.world.complaints
    return desk.world.complaints.pop()


def smart_process(desk: Desk, **flags: str) -> int:
    every = ("Stages", "Categories", "Automation", "Client", "Observers", "UseInUserfield", "BeginCloseDates")
    given = {f"is{name}Enabled": "Y" for name in every} | flags
    relations = {"parent": [{"entityTypeId": 2, "isChildrenListEnabled": "true"}]}
    fields = {"title": "Коррекция", "relations": relations, **given}
    return int(desk.call("crm.type.add", fields=fields)["type"]["entityTypeId"])


def test_a_fresh_deal_has_the_documented_types(desk: Desk) -> None:
    item = desk.deal(title="Окна", opportunity="1000.50", contactIds=[1, 2], closedate="2026-07-05")

    assert (item["id"], item["stageId"], item["categoryId"]) == (1, "NEW", 0)
    assert (item["opportunity"], item["opened"], item["stageSemanticId"]) == (1000.5, "Y", "P")
    assert (item["contactId"], item["contactIds"]) == (1, [1, 2])
    assert item["closedate"] == "2026-07-05T00:00:00+02:00"
    assert item["movedTime"] == item["createdTime"] == "2026-06-01T10:00:00+02:00"
    assert "previousStageId" not in item


def test_an_unknown_field_is_ignored_silently_and_complained_of(desk: Desk) -> None:
    assert "titel" not in desk.deal(titel="Окна")
    assert "unknown field 'titel'" in complaint(desk)


def test_a_read_only_field_is_ignored_and_complained_of(desk: Desk) -> None:
    desk.deal(createdTime="2020-01-01T00:00:00+03:00")

    assert "read-only" in complaint(desk)


def test_an_update_that_changes_nothing_leaves_no_trace(desk: Desk) -> None:
    item = desk.deal(title="Окна")
    desk.call("event.bind", event="ONCRMDEALUPDATE", handler="http://127.0.0.1:9/e")
    desk.later(minutes=5)

    again = desk.call("crm.item.update", entityTypeId=2, id=1, fields={"title": "Окна", "stageId": "NEW"})["item"]

    assert again["updatedTime"] == item["updatedTime"]
    assert desk.portal.deliver() == 0
    assert len(desk.portal.crm.history.rows[2]) == 1


def test_missing_items_types_and_parameters_have_their_codes(desk: Desk) -> None:
    assert desk.refusal("crm.item.get", entityTypeId=2, id=7) == (400, "NOT_FOUND")
    assert desk.refusal("crm.item.get", entityTypeId=999, id=7) == (400, "NOT_FOUND")
    assert desk.refusal("crm.item.get", entityTypeId=2) == (400, "100")
    assert desk.refusal("crm.item.add", entityTypeId=2, fields={"observers": 5}) == (400, "100")
    bad_stage = {"entityTypeId": 2, "fields": {"stageId": "NOWHERE"}}
    assert desk.refusal("crm.item.add", **bad_stage) == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({">opportunity": 15}, [2, 3]),
        ({"<=opportunity": 20}, [1, 2]),
        ({"@id": [1, 3]}, [1, 3]),
        ({"!@id": [1, 3]}, [2]),
        ({"id": [2, 3]}, [2, 3]),
        ({"%title": "две"}, [2]),
        ({"=%title": "Окно%"}, [1]),
        ({"!%title": "о"}, [2]),
        ({"!=title": "Дверь"}, [1, 3]),
        ({"ID": 3}, [3]),
        ({"logic": "OR", "0": {"id": 1}, "1": {"title": "Дверь"}}, [1, 2]),
        ({"0": {"logic": "OR", "0": {"id": 1}, "1": {"id": 2}}, ">opportunity": 10}, [2]),
        ({">=createdTime": "2026-06-01T11:00:00+03:00", "assignedById": 1}, [1, 2, 3]),
        ({"companyId": 0}, [1, 2, 3]),
    ],
)
def test_filters_follow_the_prefixes(desk: Desk, condition: dict[str, object], found: list[int]) -> None:
    for title, amount in (("Окно", 10), ("Дверь", 20), ("Потолок", 30)):
        desk.deal(title=title, opportunity=amount)

    items = desk.call("crm.item.list", entityTypeId=2, filter=condition, order={"id": "ASC"})["items"]

    assert [item["id"] for item in items] == found


def test_a_filter_by_an_unknown_field_is_refused(desk: Desk) -> None:
    for params in ({"filter": {"titel": 1}}, {"order": {"titel": "ASC"}}, {"order": {"id": "UP"}}):
        assert desk.refusal("crm.item.list", entityTypeId=2, **params) == (400, "INVALID_ARG_VALUE")


def test_phones_come_with_get_and_with_a_star_only(desk: Desk) -> None:
    by_get = desk.call("crm.item.get", entityTypeId=3, id=1)["item"]["fm"]
    plain = desk.call("crm.item.list", entityTypeId=3)["items"][0]
    starred = desk.call("crm.item.list", entityTypeId=3, select=["*"])["items"][0]

    assert by_get == [{"id": 101, "valueType": "MOBILE", "typeId": "PHONE", "value": "+79161234501"}]
    assert "fm" not in plain
    assert starred["fm"] == by_get
    legacy = desk.call("crm.contact.get", id=1)
    assert legacy["PHONE"] == [{"ID": "101", "VALUE_TYPE": "MOBILE", "VALUE": "+79161234501", "TYPE_ID": "PHONE"}]
    assert legacy["HAS_PHONE"] == "Y"


def test_phones_are_changed_added_and_deleted_by_their_keys(desk: Desk) -> None:
    fm = {"101": {"id": 101, "value": ""}, "n0": {"typeId": "PHONE", "valueType": "WORK", "value": "+7495"}}

    item = desk.call("crm.item.update", entityTypeId=3, id=1, fields={"fm": fm})["item"]

    assert [row["value"] for row in item["fm"]] == ["+7495"]


def test_user_fields_go_by_their_own_names_or_by_converted_ones(desk: Desk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_INSTALL_ON", "userTypeId": "date"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)
    desk.deal(title="A")

    params = {"entityTypeId": 2, "id": 1, "useOriginalUfNames": "Y"}
    original = desk.call("crm.item.update", **params, fields={"UF_CRM_INSTALL_ON": "2026-06-20"})["item"]
    converted = desk.call("crm.item.get", entityTypeId=2, id=1)["item"]

    assert original["UF_CRM_INSTALL_ON"] == converted["ufCrm_INSTALL_ON"] == "2026-06-20T00:00:00+02:00"
    found = desk.call("crm.item.list", entityTypeId=2, useOriginalUfNames="Y", filter={"<=UF_CRM_INSTALL_ON": "2026-06-20"})
    assert len(found["items"]) == 1


def test_an_original_name_without_the_flag_is_an_unknown_field(desk: Desk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_NOTE", "userTypeId": "string"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)

    item = desk.call("crm.item.add", entityTypeId=2, fields={"UF_CRM_NOTE": "x"})["item"]

    assert item["ufCrm_NOTE"] is None
    assert "without useOriginalUfNames" in complaint(desk)


def test_a_list_field_keeps_option_ids_and_drops_strange_ones(desk: Desk) -> None:
    options = [{"VALUE": "Клиент", "XML_ID": "client"}, {"VALUE": "Поставщик", "XML_ID": "supplier"}]
    number = desk.call(
        "crm.deal.userfield.add", fields={"FIELD_NAME": "REASON", "USER_TYPE_ID": "enumeration", "LIST": options}
    )
    listed = desk.call("crm.deal.userfield.get", id=number)
    chosen = int(listed["LIST"][1]["ID"])

    kept = desk.call("crm.item.add", entityTypeId=2, fields={"ufCrm_REASON": chosen})["item"]
    strange = desk.call("crm.item.add", entityTypeId=2, fields={"ufCrm_REASON": 9999})["item"]

    assert listed["FIELD_NAME"] == "UF_CRM_REASON"
    assert (kept["ufCrm_REASON"], strange["ufCrm_REASON"]) == (chosen, None)
    assert "has no option 9999" in complaint(desk)


def test_a_file_field_answers_with_id_and_address(desk: Desk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_CONTRACT", "userTypeId": "file"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)

    content = base64.b64encode(b"scan").decode()
    item = desk.deal(ufCrm_CONTRACT=["договор.pdf", content])

    kept = item["ufCrm_CONTRACT"]
    assert set(kept) == {"id", "url", "urlMachine"}
    assert desk.http.get(kept["url"].removeprefix(f"http://{desk.portal.domain}")).data == b"scan"
    gone = desk.call("crm.item.update", entityTypeId=2, id=1, fields={"ufCrm_CONTRACT": ""})["item"]
    assert gone["ufCrm_CONTRACT"] is None


def test_flags_of_user_fields_are_filtered_by_one_and_zero(desk: Desk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_AGREED", "userTypeId": "boolean"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)
    item = desk.deal(ufCrm_AGREED="Y")

    found = desk.call("crm.item.list", entityTypeId=2, filter={"ufCrm_AGREED": "1"})["items"]
    lost = desk.call("crm.item.list", entityTypeId=2, filter={"ufCrm_AGREED": "Y"})["items"]

    assert item["ufCrm_AGREED"] == "Y"
    assert (len(found), len(lost)) == (1, 0)
    assert "filtered by 1 or 0" in complaint(desk)


@pytest.mark.parametrize(
    ("sent", "kept", "word"),
    [
        ("2026-06-20T15:00:00", "2026-06-20T15:00:00+02:00", "no offset"),
        ("20.06.2026 15:00:00", "2026-06-20T15:00:00+02:00", "not ISO 8601"),
        ("послезавтра", None, "not set"),
    ],
)
def test_times_are_read_leniently_and_complained_of(desk: Desk, sent: str, kept: str | None, word: str) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_VISIT_AT", "userTypeId": "datetime"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)

    assert desk.deal(ufCrm_VISIT_AT=sent)["ufCrm_VISIT_AT"] == kept
    assert word in complaint(desk)


def test_a_time_with_another_offset_shifts_a_date_only_field(desk: Desk) -> None:
    assert desk.deal(closedate="2026-06-20T00:00:00+05:00")["closedate"].startswith("2026-06-19")
    assert "date-only" in complaint(desk)


def test_stage_history_grows_by_the_rules_of_its_types(desk: Desk) -> None:
    other = desk.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж"})["category"]["id"]
    desk.deal(title="A")
    desk.later(minutes=1)
    desk.move(1, "PREPARATION")
    desk.call("crm.item.update", entityTypeId=2, id=1, fields={"categoryId": other})
    desk.move(1, f"C{other}:WON")

    rows = desk.call("crm.stagehistory.list", entityTypeId=2, filter={">ID": 0}, order={"ID": "ASC"})["items"]

    assert [(row["TYPE_ID"], row["STAGE_ID"], row["STAGE_SEMANTIC_ID"]) for row in rows] == [
        (1, "NEW", "P"),
        (2, "PREPARATION", "P"),
        (5, "C1:NEW", "P"),
        (3, "C1:WON", "S"),
    ]
    assert [row["CATEGORY_ID"] for row in rows] == [0, 0, 1, 1]
    assert sorted(row["ID"] for row in rows) == [row["ID"] for row in rows]
    assert rows[1]["CREATED_TIME"] == "2026-06-01T10:01:00+02:00"
    later = desk.call("crm.stagehistory.list", entityTypeId=2, filter={">ID": rows[2]["ID"]})["items"]
    assert len(later) == 1


def test_lead_history_has_its_own_names(desk: Desk) -> None:
    desk.call("crm.item.add", entityTypeId=1, fields={"title": "Заявка"})

    row = desk.call("crm.stagehistory.list", entityTypeId=1)["items"][0]

    assert (row["STATUS_ID"], row["STATUS_SEMANTIC_ID"]) == ("NEW", "P")
    assert "STAGE_ID" not in row
    assert desk.refusal("crm.stagehistory.list", entityTypeId=3) == (400, "ENTITY_TYPE_NOT_SUPPORTED")


def test_a_deleted_item_leaves_no_history(desk: Desk) -> None:
    desk.deal(title="A")

    assert desk.call("crm.item.delete", entityTypeId=2, id=1) == []
    assert desk.call("crm.stagehistory.list", entityTypeId=2)["items"] == []


def test_a_lead_moved_by_hand_becomes_a_deal_only_when_the_portal_does_so(desk: Desk) -> None:
    for convert in (False, True):
        desk.portal.options["convert_leads"] = convert
        lead = desk.call("crm.item.add", entityTypeId=1, fields={"title": "Заявка", "contactId": 2})["item"]["id"]
        fields = {"stageId": "CONVERTED"}
        desk.portal.as_user(MANAGER).call("crm.item.update", entityTypeId=1, id=lead, fields=fields)

    deals = desk.call("crm.item.list", entityTypeId=2)["items"]
    assert [(deal["title"], deal["contactId"], deal["leadId"]) for deal in deals] == [("Заявка", 2, 2)]
    assert desk.call("crm.item.get", entityTypeId=1, id=1)["item"]["movedBy"] == MANAGER


def test_required_fields_are_checked_only_when_the_portal_wants_it(desk: Desk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_MUST", "userTypeId": "string", "mandatory": "Y"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)
    desk.deal(title="A")
    desk.move(1, "PREPARATION")

    desk.portal.options["check_required"] = True

    refused = {"entityTypeId": 2, "id": 1, "fields": {"stageId": "EXECUTING"}}
    assert desk.refusal("crm.item.update", **refused) == (400, "CRM_FIELD_ERROR_REQUIRED")
    assert desk.call("crm.item.get", entityTypeId=2, id=1)["item"]["stageId"] == "PREPARATION"


def test_goods_set_the_amount_unless_it_is_manual(desk: Desk) -> None:
    desk.deal(title="A")
    rows = [{"productName": "Полотно", "price": 500, "quantity": 3}, {"productName": "Багет", "price": 100.5}]

    desk.call("crm.item.productrow.set", ownerType="D", ownerId=1, productRows=rows)

    assert desk.call("crm.item.get", entityTypeId=2, id=1)["item"]["opportunity"] == 1600.5
    listed = desk.call("crm.item.productrow.list", filter={"=ownerType": "D", "=ownerId": 1})["productRows"]
    assert [row["productName"] for row in listed] == ["Полотно", "Багет"]


def test_legacy_deals_are_texts_and_cannot_change_pipeline(desk: Desk) -> None:
    number = desk.call("crm.deal.add", fields={"TITLE": "A", "OPPORTUNITY": 1000, "CONTACT_ID": 1})
    deal = desk.call("crm.deal.get", id=number)

    assert (deal["ID"], deal["OPPORTUNITY"], deal["CATEGORY_ID"]) == ("1", "1000.00", "0")
    assert desk.call("crm.deal.update", id=1, fields={"STAGE_ID": "WON"}) is True
    listed = desk.call("crm.deal.list", filter={"=STAGE_ID": "WON"}, select=["ID", "TITLE"])
    assert listed == [{"ID": "1", "TITLE": "A"}]
    assert desk.refusal("crm.deal.get", id=99) == (400, "")
    desk.call("crm.deal.update", id=1, fields={"CATEGORY_ID": 5})
    assert "CATEGORY_ID" in complaint(desk)
    assert desk.call("crm.deal.contact.items.get", id=1)[0]["IS_PRIMARY"] == "Y"


def test_a_fresh_portal_has_the_stages_of_deals_and_leads(desk: Desk) -> None:
    deals = desk.call("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE"}, order={"SORT": "ASC"})
    leads = desk.call("crm.status.list", filter={"ENTITY_ID": "STATUS"})

    assert [row["STATUS_ID"] for row in deals][:2] == ["NEW", "PREPARATION"]
    assert {row["STATUS_ID"]: row["SEMANTICS"] for row in deals}["WON"] == "S"
    assert [row["STATUS_ID"] for row in leads] == ["NEW", "IN_PROCESS", "PROCESSED", "CONVERTED", "JUNK"]
    assert leads[3]["EXTRA"]["SEMANTICS"] == "success"


def test_a_stage_gets_its_prefix_and_its_place_is_checked(desk: Desk) -> None:
    category = desk.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж"})["category"]["id"]
    place = {"ENTITY_ID": f"DEAL_STAGE_{category}", "NAME": "Материалы"}

    number = desk.call("crm.status.add", fields={**place, "STATUS_ID": "GOODS", "SORT": 25})

    assert desk.call("crm.status.get", id=number)["STATUS_ID"] == f"C{category}:GOODS"
    late = {**place, "STATUS_ID": "LATE", "SORT": 900}
    early = {**place, "STATUS_ID": "BAD", "SORT": 5, "SEMANTICS": "F"}
    long = {**place, "STATUS_ID": "X" * 30}
    assert desk.refusal("crm.status.add", fields=late) == (400, "")
    assert desk.refusal("crm.status.add", fields=early) == (400, "")
    assert desk.refusal("crm.status.add", fields=long) == (400, "")
    assert desk.refusal("crm.status.add", fields={**place, "STATUS_ID": "GOODS"}) == (400, "ERROR_CORE")
    assert desk.refusal("crm.status.add", desk.token_of(MANAGER), fields=late) == (400, "")


def test_the_default_pipeline_of_deals_has_number_zero(desk: Desk) -> None:
    listed = desk.call("crm.category.list", entityTypeId=2)["categories"]

    assert [(row["id"], row["isDefault"]) for row in listed] == [(0, "Y")]
    assert desk.refusal("crm.category.list", entityTypeId=1) == (400, "ENTITY_TYPE_NOT_SUPPORTED")


def test_a_smart_process_has_two_numbers_and_its_own_stages(desk: Desk) -> None:
    number = smart_process(desk)
    card = desk.call("crm.type.getByEntityTypeId", entityTypeId=number)["type"]
    category = desk.call("crm.category.list", entityTypeId=number)["categories"][0]["id"]
    name = f"UF_CRM_{card['id']}_LOSS"
    field = {"entityId": f"CRM_{card['id']}", "fieldName": name, "userTypeId": "double"}
    desk.call("userfieldconfig.add", moduleId="crm", field=field)
    desk.deal(title="A")

    item = desk.call("crm.item.add", entityTypeId=number, fields={"parentId2": 1, f"ufCrm{card['id']}Loss": 7.5})["item"]
    wanted = f"DT{number}_{category}:CLIENT"
    params = {"entityTypeId": number, "id": 1, "fields": {"stageId": wanted, "categoryId": category}}
    moved = desk.call("crm.item.update", **params)["item"]

    assert card["id"] != number
    assert (item["stageId"], item["parentId2"], item[f"ufCrm{card['id']}Loss"]) == (f"DT{number}_{category}:NEW", 1, 7.5)
    assert (moved["stageId"], moved["previousStageId"]) == (wanted, f"DT{number}_{category}:NEW")
    codes = {row["ID"]: row["SYMBOL_CODE_SHORT"] for row in desk.call("crm.enum.ownertype")}
    assert codes == {1: "L", 2: "D", 3: "C", 4: "CO", number: f"T{number:x}"}


def test_what_a_smart_process_has_not_switched_on_reads_as_null(desk: Desk) -> None:
    number = smart_process(desk, isClientEnabled="N")

    item = desk.call("crm.item.add", entityTypeId=number, fields={"contactId": 1})["item"]

    assert (item["contactId"], item["contactIds"]) == (None, None)
    assert "switched-off" in complaint(desk)


def test_a_smart_process_is_created_by_administrators_with_a_number_in_range(desk: Desk) -> None:
    assert desk.refusal("crm.type.add", desk.token_of(MANAGER), fields={"title": "x"}) == (400, "ACCESS_DENIED")
    assert desk.refusal("crm.type.add", fields={"title": "x", "entityTypeId": 7}) == (400, "INVALID_ARG_VALUE")
    first = smart_process(desk)
    assert [row["entityTypeId"] for row in desk.call("crm.type.list")["types"]] == [first]
    record = desk.call("crm.type.getByEntityTypeId", entityTypeId=first)["type"]["id"]
    assert desk.call("crm.type.delete", id=record) == []
    assert desk.refusal("crm.item.list", entityTypeId=first) == (400, "NOT_FOUND")


def test_fields_are_described_with_types_and_choices(desk: Desk) -> None:
    fields = desk.call("crm.item.fields", entityTypeId=2)["fields"]

    assert fields["stageId"]["type"] == "crm_status"
    assert fields["createdTime"] == {
        "type": "datetime",
        "isRequired": False,
        "isReadOnly": True,
        "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False,
        "title": "DATE_CREATE",
        "upperName": "DATE_CREATE",
    }
    assert desk.call("crm.deal.fields")["STAGE_ID"]["type"] == "crm_status"


def test_comments_log_lines_and_pins_belong_to_existing_cards(desk: Desk) -> None:
    desk.deal(title="A")
    first = desk.call("crm.timeline.comment.add", fields={"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": "[B]Шаг[/B]"})
    line = {"entityTypeId": 2, "entityId": 1, "title": "t", "text": "x", "iconCode": "info"}
    logged = desk.call("crm.timeline.logmessage.add", fields=line)["logMessage"]

    listed = desk.call("crm.timeline.comment.list", filter={"ENTITY_ID": 1, "ENTITY_TYPE": "deal"})

    assert [(row["ID"], row["COMMENT"], row["AUTHOR_ID"]) for row in listed] == [(str(first), "[B]Шаг[/B]", str(ADMIN))]
    assert logged["id"] > first
    nowhere = {"ENTITY_ID": 9, "ENTITY_TYPE": "deal", "COMMENT": "x"}
    assert desk.refusal("crm.timeline.comment.add", fields=nowhere) == (400, "OWNER_NOT_FOUND")
    empty = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": " "}
    assert desk.refusal("crm.timeline.comment.add", fields=empty) == (400, "INVALID_ARG_VALUE")
    assert desk.refusal("crm.timeline.logmessage.add", fields={}) == (400, "100")
    assert desk.call("crm.timeline.item.pin", id=first, ownerTypeId=2, ownerId=1) is None


def test_a_to_do_needs_a_readable_deadline(desk: Desk) -> None:
    desk.deal(title="A")
    owner = {"ownerTypeId": 2, "ownerId": 1}

    number = desk.call("crm.activity.todo.add", **owner, deadline="2026-06-02T10:00:00+03:00", pingOffsets=[60])["id"]

    changed = desk.call("crm.activity.todo.update", id=number, **owner, deadline="2026-06-03T10:00:00+03:00")
    assert changed == {"id": number}
    assert desk.refusal("crm.activity.todo.add", **owner, deadline="завтра") == (400, "WRONG_DATETIME_FORMAT")
    assert "not set" in complaint(desk)
