"""bizproc.workflow.* and bizproc.task.*: workflows and what they ask of people (bizproc)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.errors import RestError, access_denied
from sandbox.registry import Call, Page, method
from sandbox.wire import JSON, as_list, as_map, whole
from sandbox.workflows import CANCELLED, NO, OK, RUNNING, YES, Assignment

WORDS = {"1": YES, "yes": YES, "2": NO, "no": NO, "3": OK, "ok": OK, "4": CANCELLED, "cancel": CANCELLED}
ACCEPTED = {
    "ApproveActivity": {YES, NO},
    "ReviewActivity": {OK},
    "RequestInformationActivity": {OK},
    "RequestInformationOptionalActivity": {OK, CANCELLED},
}


@method("bizproc.workflow.start", "bizproc", "TEMPLATE_ID DOCUMENT_ID PARAMETERS", admin=True)
def start(call: Call) -> Any:
    """Start a workflow for a document and give its id (bizproc-workflow-start.md)."""
    number = whole(call.get("TEMPLATE_ID") or 0)
    if not number:
        raise RestError("ERROR_WRONG_WORKFLOW_ID", "Empty TEMPLATE_ID")
    template = call.portal.workflows.templates.get(number)
    if template is None:
        raise RestError("ERROR_WRONG_WORKFLOW_ID", "Template not found")
    document = [str(part) for part in as_list(call.get("DOCUMENT_ID"))]
    if len(document) != 3 or not re.search(r"_\d+$", document[2]):
        raise RestError("", "Wrong DOCUMENT_ID!")
    kind = [*document[:2], document[2].rpartition("_")[0]]
    known = [call.portal.automation.document_type(n) for n in (1, 2, 3, 4, *call.portal.crm.types)]
    if kind not in known:
        raise RestError("", "Incorrect document type!")
    if kind != template.document_type:
        raise RestError("", "Template type and DOCUMENT_ID mismatch!")
    return call.portal.workflows.start(template, document, call.mapping("PARAMETERS"), call.caller).id


@method("bizproc.workflow.template.list", "bizproc", "SELECT FILTER ORDER start", admin=True)
def templates(call: Call) -> Page:
    """List the templates of the designer, never those of automation (bizproc-workflow-template-list.md)."""
    rows = [
        {"ID": str(t.id), "NAME": t.name, "MODULE_ID": "crm", "ENTITY": t.document_type[1]}
        for t in call.portal.workflows.templates.values()
    ]
    return call.page(rows)


@method("bizproc.workflow.instances", "bizproc", "SELECT FILTER ORDER start", admin=True)
def instances(call: Call) -> Page:
    """List what runs (bizproc-workflow-instances.md)."""
    rows = [
        {
            "ID": i.id,
            "MODULE_ID": "crm",
            "ENTITY": i.document_id[1],
            "DOCUMENT_ID": i.document_id[2],
            "STARTED": call.portal.stamp(i.started),
            "STARTED_BY": str(i.started_by),
            "TEMPLATE_ID": str(i.template.id),
            "OWNED_UNTIL": None,
        }
        for i in call.portal.workflows.instances.values()
        if i.status == "running"
    ]
    return call.page(rows)


@method("bizproc.workflow.terminate", "bizproc", "ID STATUS", admin=True)
def terminate(call: Call) -> Any:
    """Stop a workflow, its data is kept (bizproc-workflow-terminate.md)."""
    found = call.portal.workflows.instances.get(str(call.get("ID") or ""))
    if found is None:
        raise RestError("ERROR_WRONG_WORKFLOW_ID", "Empty workflow instance ID")
    call.portal.workflows.terminate(found)
    return True


def write(call: Call, assignment: Assignment) -> JSON:
    """Write an assignment."""
    instance = assignment.instance
    return {
        "ID": str(assignment.id),
        "WORKFLOW_ID": instance.id,
        "DOCUMENT_ID": instance.document_id[2],
        "ENTITY": instance.document_id[1],
        "MODULE_ID": "crm",
        "NAME": instance.template.question,
        "ACTIVITY": instance.template.activity,
        "STATUS": str(assignment.status),
        "USER_ID": str(assignment.user_id),
        "USER_STATUS": str(assignment.status),
        "WORKFLOW_TEMPLATE_NAME": instance.template.name,
        "WORKFLOW_STARTED_BY": str(instance.started_by),
        "MODIFIED": call.portal.stamp(instance.started),
        "OVERDUE_DATE": None,
        "PARAMETERS": {"ShowComment": "Y", "CommentRequired": "N", "Fields": []},
    }


@method("bizproc.task.list", "bizproc", "SELECT FILTER ORDER START")
def assignments(call: Call) -> Page:
    """List assignments: an administrator sees all, others their own and their people's (bizproc-task-list.md)."""
    people, me = call.portal.people, call.caller.user_id
    rows = [
        write(call, a)
        for a in call.portal.workflows.assignments.values()
        if people.is_admin(me) or me == a.user_id or me in people.heads_of(a.user_id)
    ]
    for key, wanted in as_map(call.get("FILTER")).items():
        if rows and key not in rows[0]:
            call.complain(f"unknown filter field {key!r} was ignored")
        else:
            rows = [row for row in rows if str(row[key]) in {str(item) for item in as_list(wanted)}]
    return call.page(rows)


@method("bizproc.task.complete", "bizproc", "TASK_ID STATUS COMMENT FIELDS")
def complete(call: Call) -> Any:
    """Answer one's own assignment (bizproc-task-complete.md)."""
    number = whole(call.get("TASK_ID") or 0)
    if not number:
        raise RestError("ERROR_TASK_VALIDATION", "empty TASK_ID")
    status = WORDS.get(str(call.get("STATUS")).lower())
    if status is None:
        raise RestError("ERROR_TASK_VALIDATION", "incorrect STATUS")
    found = call.portal.workflows.assignments.get(number)
    if found is None or found.user_id != call.caller.user_id:
        raise RestError("ERROR_TASK_NOT_FOUND", "Task not found")
    if found.status != RUNNING:
        raise RestError("ERROR_TASK_COMPLETED", "Task already completed")
    if status not in ACCEPTED[found.instance.template.activity]:
        raise RestError("ERROR_TASK_VALIDATION", "incorrect STATUS")
    call.portal.workflows.settle(found, status, str(call.get("COMMENT") or ""), call.mapping("FIELDS"))
    return True


@method("bizproc.task.delegate", "bizproc", "TASK_IDS FROM_USER_ID TO_USER_ID")
def delegate(call: Call) -> Any:
    """Hand one's own assignments to somebody else (bizproc-task-delegate.md)."""
    numbers = [whole(item) for item in as_list(call.get("TASK_IDS"))]
    if not numbers:
        raise RestError("ERROR_TASK_VALIDATION", "Invalid TASK_IDS")
    giver, taker = whole(call.get("FROM_USER_ID") or 0), whole(call.get("TO_USER_ID") or 0)
    for user_id, name in ((giver, "FROM_USER_ID"), (taker, "TO_USER_ID")):
        if not call.portal.people.active(user_id):
            raise RestError("ERROR_INVALID_USER_ID", f"Invalid {name}")
    if giver != call.caller.user_id and not call.portal.people.is_admin(call.caller.user_id):
        raise access_denied()
    for number in numbers:
        found = call.portal.workflows.assignments.get(number)
        if found is None or found.user_id != giver or found.status != RUNNING:
            raise RestError("ERROR_DELEGATION_NOT_ALLOWED", "Пользователь не является ответственным за задание")
        found.user_id = taker
    return True
