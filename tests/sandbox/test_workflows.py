"""Workflows and what they ask of people."""

from __future__ import annotations

from tests.sandbox.conftest import HEAD, MANAGER, OTHER_MANAGER, Desk

DEAL_1 = ["crm", "CCrmDocumentDeal", "DEAL_1"]


def test_an_assignment_is_answered_by_its_own_person_only(desk: Desk) -> None:
    desk.deal(title="A")
    template = desk.portal.workflows.add_template("Скидка", 2, [MANAGER], "Согласовать скидку")
    workflow = desk.call("bizproc.workflow.start", TEMPLATE_ID=template.id, DOCUMENT_ID=DEAL_1)
    row = desk.call("bizproc.task.list", FILTER={"WORKFLOW_ID": workflow})[0]

    by_admin = desk.refusal("bizproc.task.complete", TASK_ID=row["ID"], STATUS="yes")
    params = {"TASK_ID": row["ID"], "STATUS": 1, "COMMENT": "Можно"}
    done = desk.call("bizproc.task.complete", desk.token_of(MANAGER), **params)

    assert (row["USER_ID"], row["ACTIVITY"], row["STATUS"]) == (str(MANAGER), "ApproveActivity", "0")
    assert by_admin == (400, "ERROR_TASK_NOT_FOUND")
    assert done is True
    assert desk.portal.workflows.instances[workflow].status == "completed"
    assert desk.refusal("bizproc.task.complete", desk.token_of(MANAGER), **params) == (400, "ERROR_TASK_COMPLETED")


def test_assignments_are_seen_by_their_person_his_heads_and_administrators(desk: Desk) -> None:
    desk.deal(title="A")
    template = desk.portal.workflows.add_template("Скидка", 2, [MANAGER], "Согласовать", "review")
    desk.call("bizproc.workflow.start", TEMPLATE_ID=template.id, DOCUMENT_ID=DEAL_1)

    seen = [len(desk.call("bizproc.task.list", desk.token_of(user))) for user in (1, HEAD, MANAGER, OTHER_MANAGER)]

    assert seen == [1, 1, 1, 0]


def test_an_assignment_may_be_handed_on(desk: Desk) -> None:
    desk.deal(title="A")
    template = desk.portal.workflows.add_template("Скидка", 2, [MANAGER], "Согласовать")
    desk.call("bizproc.workflow.start", TEMPLATE_ID=template.id, DOCUMENT_ID=DEAL_1)
    number = desk.call("bizproc.task.list")[0]["ID"]
    params = {"TASK_IDS": [number], "FROM_USER_ID": MANAGER, "TO_USER_ID": OTHER_MANAGER}

    assert desk.call("bizproc.task.delegate", desk.token_of(MANAGER), **params) is True
    again = desk.refusal("bizproc.task.delegate", desk.token_of(MANAGER), **params)

    assert again == (400, "ERROR_DELEGATION_NOT_ALLOWED")
    assert desk.call("bizproc.task.list")[0]["USER_ID"] == str(OTHER_MANAGER)


def test_a_start_names_what_is_wrong(desk: Desk) -> None:
    template = desk.portal.workflows.add_template("Скидка", 2, [MANAGER], "Согласовать")

    def refused(template_id: int, document: list[str]) -> str:
        reply = desk.ask("bizproc.workflow.start", TEMPLATE_ID=template_id, DOCUMENT_ID=document).json
        assert reply is not None
        return str(reply["error_description"])

    assert refused(0, DEAL_1) == "Empty TEMPLATE_ID"
    assert refused(9, DEAL_1) == "Template not found"
    assert refused(template.id, ["crm"]) == "Wrong DOCUMENT_ID!"
    assert refused(template.id, ["crm", "X", "DEAL_1"]) == "Incorrect document type!"
    assert refused(template.id, ["crm", "CCrmDocumentLead", "LEAD_1"]) == "Template type and DOCUMENT_ID mismatch!"


def test_a_terminated_workflow_takes_its_assignments_away(desk: Desk) -> None:
    desk.deal(title="A")
    template = desk.portal.workflows.add_template("Скидка", 2, [MANAGER], "Согласовать")
    workflow = desk.call("bizproc.workflow.start", TEMPLATE_ID=template.id, DOCUMENT_ID=DEAL_1)

    assert [row["ID"] for row in desk.call("bizproc.workflow.instances")] == [workflow]
    assert desk.call("bizproc.workflow.terminate", ID=workflow) is True
    assert desk.call("bizproc.task.list") == []
    assert desk.call("bizproc.workflow.template.list")[0]["NAME"] == "Скидка"
