"""What people and portals get wrong: missing people, odd dates, long and hostile texts."""

from __future__ import annotations

import pytest

from tests.flows.stage import ADMIN, AGREED, ALEXEY, HEAD, IVAN, MARIA, Stage, a_file

SIGN = "Подписать договор"
CORRECTIONS = "analysis_and_corrections"


def test_a_stage_nobody_has_described_is_left_alone_and_the_next_known_one_taken_up(stage: Stage) -> None:
    """An administrator has added a stage to our pipeline."""
    entity = f"DEAL_STAGE_{stage.tie().category_id}"
    fields = {"ENTITY_ID": entity, "STATUS_ID": "MEASURED", "NAME": "Замер сделан", "SORT": 15}
    stage.portal.as_user(ADMIN).call("crm.status.add", fields=fields)
    deal = stage.new_deal(contactId=1, opportunity=1000)
    stage.close(deal, SIGN)
    unknown = {"stageId": f"C{stage.tie().category_id}:MEASURED"}
    stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields=unknown)
    stage.settle()
    assert stage.stage_of(deal) == f"C{stage.tie().category_id}:MEASURED"
    stage.write(deal, contract_file=a_file())
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract_signed"


def test_a_deal_returned_from_a_stage_it_reached_from_an_unknown_one_goes_to_the_stage_before(stage: Stage) -> None:
    entity = f"DEAL_STAGE_{stage.tie().category_id}"
    fields = {"ENTITY_ID": entity, "STATUS_ID": "MEASURED", "NAME": "Замер сделан", "SORT": 15}
    stage.portal.as_user(ADMIN).call("crm.status.add", fields=fields)
    deal = stage.new_deal(stageId=f"C{stage.tie().category_id}:MEASURED")
    stage.move(deal, "contract_signed")
    assert stage.stage_of(deal) == "contract"


def test_a_smart_process_deleted_on_the_portal_holds_up_no_other_pipeline(stage: Stage) -> None:
    kind = stage.tie(CORRECTIONS).entity_type_id
    (card,) = (card for card in stage.portal.crm.types.values() if card.entity_type_id == kind)
    stage.portal.as_user(ADMIN).call("crm.type.delete", id=card.id)
    stage.turn(minutes=11)  # what is known of the portal is read anew
    deal = stage.new_deal(contactId=1)
    assert stage.titles(deal) == [SIGN]


def test_a_deal_deleted_before_anybody_looked_gets_nothing(stage: Stage) -> None:
    fields = {"title": "На минуту", "categoryId": stage.tie().category_id}
    deal = int(stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)["item"]["id"])
    stage.portal.as_user(ADMIN).call("crm.item.delete", entityTypeId=2, id=deal)
    stage.settle()
    assert stage.titles(deal, open_only=False) == []


def test_the_tasks_of_a_dismissed_manager_go_to_his_head(stage: Stage) -> None:
    stage.portal.people.dismiss(MARIA)
    stage.turn(minutes=11)
    deal = stage.new_deal(by=IVAN, contactId=1, assignedById=MARIA)
    assert stage.titles(deal, user=HEAD) == [SIGN]
    assert "роль «Менеджер сделки» никого не нашла" in stage.task(deal, SIGN)["description"]


def test_a_manager_dismissed_with_tasks_open_leaves_the_control_to_his_head(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1)
    stage.portal.people.dismiss(MARIA)
    stage.turn(hours=24)
    assert len(stage.titles(deal, user=HEAD)) == 1


def test_a_dismissed_installer_cannot_be_booked(stage: Stage) -> None:
    stage.portal.people.dismiss(ALEXEY)
    stage.turn(minutes=11)
    deal = stage.arrive("date_agreed", **AGREED)
    assert stage.stage_of(deal) == "materials_bought"
    assert any("больше не работает" in comment for comment in stage.comments(deal))


def test_the_head_of_a_department_without_one_is_looked_for_further_up(stage: Stage) -> None:
    next(d for d in stage.portal.people.departments.values() if d.head == HEAD).head = 0
    stage.turn(minutes=11)
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=24)
    assert len(stage.titles(deal, user=ADMIN)) == 1


def test_a_company_without_any_head_leaves_control_to_whoever_installed_the_application(stage: Stage) -> None:
    for department in stage.portal.people.departments.values():
        department.head = 0
    stage.turn(minutes=11)
    deal = stage.new_deal(contactId=1)
    stage.turn(hours=24)
    (control,) = stage.titles(deal, user=ADMIN)
    assert "назначен" in stage.task(deal, control)["description"]


def test_a_date_without_an_hour_takes_the_installers_whole_day(stage: Stage) -> None:
    first = stage.arrive("date_agreed", **{**AGREED, "install_time": ""})
    second = stage.arrive("date_agreed", "Потолки, пр. Мира, 10", **{**AGREED, "install_time": "14:00"})
    assert (stage.stage_of(first), stage.stage_of(second)) == ("date_agreed", "materials_bought")
    assert stage.visits(ALEXEY) == ["08.06 09:00"]


@pytest.mark.parametrize("written", ["10.30", "10-30", "в 10:30", "10:30 ", "1030"])
def test_an_hour_is_understood_or_asked_for_again_and_never_guessed(stage: Stage, written: str) -> None:
    deal = stage.arrive("date_agreed", **{**AGREED, "install_time": written})
    if stage.stage_of(deal) == "date_agreed":
        assert stage.visits(ALEXEY) == ["08.06 10:30"]
    else:
        assert any(written.strip() in comment for comment in stage.comments(deal) if "Возвращено" in comment)


def test_sixty_thousand_characters_arrive_cut_and_the_deal_goes_on(stage: Stage) -> None:
    long = "Потолок " * 7500
    deal = stage.arrive("installation_set", **AGREED, materials=long, conditions=long)
    assert stage.stage_of(deal) == "installation_set"
    assert len(stage.task(deal, "Выполнить монтаж")["description"]) < 30_000
    assert stage.titles(deal, user=ALEXEY) != []


def test_a_title_of_sixty_thousand_characters_makes_titles_people_can_read(stage: Stage) -> None:
    deal = stage.new_deal("Потолок " * 7500, contactId=1)
    stage.turn(hours=24)
    (control,) = stage.titles(deal, user=HEAD)
    assert len(control) <= 255


def test_emoji_travel_whole(stage: Stage) -> None:
    deal = stage.arrive("installation_set", "Потолки 🏠👨‍👩‍👧 кухня", **AGREED)
    assert "🏠👨‍👩‍👧" in stage.task(deal, "Выполнить монтаж")["title"]


@pytest.mark.parametrize(
    ("title", "never"),
    [
        ("[URL=https://evil.example]Кухня[/URL]", "[URL=https://evil.example]"),
        ("[USER=1]Кухня[/USER]", "[USER=1]"),
        ("[B]Кухня", "[B]Кухня"),
    ],
)
def test_markup_in_a_title_is_text_wherever_it_is_shown(stage: Stage, title: str, never: str) -> None:
    deal = stage.arrive("installation_set", title, **AGREED, materials=title, conditions=title)
    stage.close(deal, "Выполнить монтаж", by=ALEXEY)
    stage.move(deal, "work_done")
    bodies = [*stage.comments(deal), *stage.notices(MARIA), stage.task(deal, "Выполнить монтаж")["description"]]
    assert any("Кухня" in body for body in bodies)
    assert [body for body in bodies if never in body] == []


def test_a_script_in_a_title_stays_the_text_it_is(stage: Stage) -> None:
    """The portal and our pages escape what they show; on the way nothing is lost and nothing stops."""
    title = "<script>alert(1)</script> Кухня"
    deal = stage.arrive("installation_set", title, **AGREED)
    assert stage.task(deal, "Выполнить монтаж")["title"].endswith(title)
    stage.move(deal, "work_done")
    assert stage.stage_of(deal) == "installation_set"
    assert any("«Выполнить монтаж" in comment and "alert(1)" in comment for comment in stage.comments(deal))


def test_places_in_braces_inside_a_title_are_not_filled(stage: Stage) -> None:
    """A title that looks like our own places stays as it is written."""
    deal = stage.arrive("installation_set", "Кухня {phone} {missing} {0}", **AGREED)
    assert "Кухня {phone} {missing} {0}" in stage.task(deal, "Выполнить монтаж")["title"]


def test_a_deal_without_responsible_title_and_client_still_gets_its_task(stage: Stage) -> None:
    deal = stage.new_deal("")
    assert len(stage.titles(deal)) == 1


def test_a_phone_that_is_no_phone_is_left_to_the_manager(stage: Stage) -> None:
    contact = stage.portal.crm.add_contact("Олег", "Странный", "доб. 12")
    deal = stage.arrive("installation_set", **AGREED, contactId=contact["id"])
    assert stage.world.sms.outbox == []
    assert "негодный" in stage.task(deal, "Сообщить клиенту")["description"]
