"""How many requests a portal is charged for what people do: exact numbers, so that a change of them is seen and meant."""

from __future__ import annotations

from tests.flows.stage import MARIA, Stage, a_file

ENTRY = 5
"""One reading of the history, the items, their clients, all comments and tasks, all lines of the checklists."""


def requests_of(stage: Stage, since: int) -> list[str]:
    """Return what each request since a moment was about: its methods, each once."""
    records = stage.portal.requests[since:]
    return [" ".join(dict.fromkeys(line.split("?")[0] for line in record.commands)) for record in records]


def test_a_deal_that_begins_with_a_lesson_and_a_task_of_five_lines_costs_five_requests(stage: Stage) -> None:
    before = len(stage.portal.requests)
    stage.new_deal(contactId=1)
    made = requests_of(stage, before)
    assert len(made) == ENTRY
    assert made[0] == "crm.stagehistory.list crm.item.list"
    assert made[3:] == ["crm.timeline.comment.add tasks.task.add", "task.checklistitem.add"]


def test_a_move_to_the_next_stage_costs_as_much(stage: Stage) -> None:
    deal = stage.new_deal(contactId=1, opportunity=100000)
    stage.write(deal, contract_file=a_file())
    stage.close(deal, "Подписать договор")
    before = len(stage.portal.requests)
    stage.move(deal, "contract_signed")
    assert len(requests_of(stage, before)) == ENTRY
    assert stage.stage_of(deal) == "contract_signed"


def test_ten_deals_at_once_cost_as_much_as_one(stage: Stage) -> None:
    """Fifty lines of checklists are one full batch."""
    before = len(stage.portal.requests)
    for number in range(10):
        fields = {"title": f"Сделка {number}", "categoryId": stage.tie().category_id, "contactId": 1, "assignedById": MARIA}
        stage.portal.as_user(MARIA).call("crm.item.add", entityTypeId=2, fields=fields)
    stage.settle()
    assert len(stage.portal.requests) - before == ENTRY
    assert len(stage.portal.tasks.tasks) == 10


def test_a_closed_task_costs_three_requests_and_a_quiet_minute_one(stage: Stage) -> None:
    """A reading, the item, and the task with its checklist as they stand now."""
    deal = stage.new_deal(contactId=1)
    before = len(stage.portal.requests)
    stage.close(deal, "Подписать договор")
    closing = len(stage.portal.requests) - before
    stage.turn(minutes=1)
    quiet = len(stage.portal.requests) - before - closing
    assert (closing, quiet) == (3, 1)
