"""A process file drives leads, deals and items of smart processes alike."""

from __future__ import annotations

from pathlib import Path

from tests.flows.kinds import FILES, Items
from tests.flows.stage import ADMIN, ALEXEY, HEAD, MARIA, Stage, a_stage


def test_a_lead_gets_its_task_and_its_control(three: Stage) -> None:
    leads = Items(three, "enquiry")
    lead = leads.add()
    assert leads.tasks(lead, MARIA) == ["Перезвонить: Кухня"]
    three.turn(hours=4)
    assert len(leads.tasks(lead, HEAD)) == 1


def test_a_lead_without_an_amount_goes_back_to_where_it_came_from(three: Stage) -> None:
    leads = Items(three, "enquiry")
    lead = leads.add()
    leads.move(lead, "IN_PROCESS")
    assert leads.on(lead) == "NEW"
    assert any("Сумма" in comment for comment in leads.comments(lead))


def test_a_task_that_only_reminds_does_not_hold_the_lead(three: Stage) -> None:
    """S2-24: the answer to an open task is the stage's setting, here ``remind``."""
    leads = Items(three, "enquiry")
    lead = leads.add(opportunity=1000)
    leads.move(lead, "IN_PROCESS")
    assert leads.on(lead) == "IN_PROCESS"
    assert "не закрыта задача «Перезвонить: Кухня»" in three.notices(MARIA)[-1]
    assert any("Перезвонить" in comment for comment in leads.comments(lead))


def test_a_won_lead_becomes_a_deal_that_its_own_process_takes_up(three: Stage) -> None:
    leads, deals = Items(three, "enquiry"), Items(three, "small_order")
    lead = leads.add(opportunity=1000, contactId=1)
    leads.move(lead, "CONVERTED")
    three.turn(minutes=2)
    found = three.portal.as_user(ADMIN).call("crm.item.list", entityTypeId=2, filter={"=leadId": lead.id})["items"]
    assert [(row["title"], row["categoryId"]) for row in found] == [("Кухня", three.tie("small_order").category_id)]
    assert three.titles(int(found[0]["id"])) == ["Замерить: Кухня"]
    assert deals.code == "small_order"


def test_a_deal_waits_for_its_task(three: Stage) -> None:
    deals = Items(three, "small_order")
    deal = deals.add()
    deals.move(deal, "done")
    assert deals.on(deal) == "taken"
    three.close(deal.id, "Замерить")
    deals.move(deal, "done")
    assert deals.on(deal) == "done"


def test_a_deal_of_another_pipeline_is_none_of_our_business(three: Stage) -> None:
    added = three.portal.as_user(MARIA).call(
        "crm.item.add", entityTypeId=2, fields={"title": "Другая воронка", "categoryId": 0}
    )
    three.settle()
    assert three.titles(int(added["item"]["id"])) == []
    assert three.runs(int(added["item"]["id"])) == []


def test_the_smart_process_is_made_with_its_stages_and_fields(three: Stage) -> None:
    (found,) = three.portal.as_user(ADMIN).call("crm.type.list")["types"]
    assert (found["title"], found["entityTypeId"]) == ("Ремонт", three.tie("repair").entity_type_id)
    assert set(three.tie("repair").fields) == {"visit_date", "visit_time", "master"}


def test_an_item_of_a_smart_process_gets_its_task_its_checks_and_its_visit(three: Stage) -> None:
    repairs = Items(three, "repair")
    repair = repairs.add("Протечка")
    assert repairs.tasks(repair, MARIA) == ["Назначить мастера: Протечка"]
    repairs.move(repair, "planned")
    assert repairs.on(repair) == "new"
    repairs.write(repair, visit_date="2026-06-02", visit_time="12:00", master=ALEXEY)
    repairs.move(repair, "planned")
    assert repairs.on(repair) == "planned"
    assert three.visits(ALEXEY) == ["02.06 12:00"]
    assert three.notices(ALEXEY) == ["Выезд: Протечка, 02.06.2026"]


def test_a_changed_day_of_a_smart_item_moves_its_visit(three: Stage) -> None:
    repairs = Items(three, "repair")
    repair = repairs.add("Протечка", visit_date="2026-06-02", visit_time="12:00", master=ALEXEY)
    repairs.move(repair, "planned")
    three.turn(minutes=10)
    repairs.write(repair, visit_date="2026-06-03")
    assert three.visits(ALEXEY) == ["03.06 12:00"]
    repairs.move(repair, "refused")
    assert (repairs.tasks(repair), three.visits(ALEXEY), three.waiting()) == ([], [], {})


def test_two_smart_items_cannot_have_the_same_installer_at_the_same_hour(three: Stage) -> None:
    repairs = Items(three, "repair")
    first = repairs.add("Протечка", visit_date="2026-06-02", visit_time="12:00", master=ALEXEY)
    repairs.move(first, "planned")
    second = repairs.add("Свет", visit_date="2026-06-02", visit_time="13:00", master=ALEXEY)
    repairs.move(second, "planned")
    assert (repairs.on(first), repairs.on(second)) == ("planned", "new")


def test_a_deal_moved_to_another_pipeline_leaves_its_old_tasks_behind(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for path in (FILES / "small_order.yaml", Path("processes/ceiling_installation.yaml")):
        (files / path.name).write_bytes(path.read_bytes())
    with a_stage(tmp_path, files=files) as stage:
        stage.install()
        deal = stage.new_deal(contactId=1)
        tie = stage.tie("small_order")
        fields = {"categoryId": tie.category_id, "stageId": tie.stages["taken"]}
        stage.portal.as_user(MARIA).call("crm.item.update", entityTypeId=2, id=deal, fields=fields)
        stage.settle()
        assert stage.titles(deal) == ["Замерить: Потолки, ул. Садовая, 5"]
        assert (stage.waiting(), stage.troubles(), stage.world.complaints) == ({}, [], [])
