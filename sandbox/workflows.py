"""Workflows of the designer and the assignments they give to people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.registry import Caller
from sandbox.wire import JSON

if TYPE_CHECKING:
    from sandbox.portal import Portal

RUNNING, YES, NO, OK, TIMEOUT, CANCELLED = 0, 1, 2, 3, 4, 5
ACTIVITIES = {
    "approve": "ApproveActivity",
    "review": "ReviewActivity",
    "request": "RequestInformationActivity",
    "request_optional": "RequestInformationOptionalActivity",
}


@dataclass(slots=True, eq=False)
class Template:
    """A workflow template: one assignment to each of its people, then the end."""

    id: int
    name: str
    document_type: list[str]
    activity: str
    people: list[int]
    question: str


@dataclass(slots=True, eq=False)
class Instance:
    """A running workflow."""

    id: str
    template: Template
    document_id: list[str]
    started: datetime
    started_by: int
    parameters: JSON
    status: str = "running"


@dataclass(slots=True, eq=False)
class Assignment:
    """What a workflow asks of one person."""

    id: int
    instance: Instance
    user_id: int
    status: int = RUNNING
    comment: str = ""
    fields: JSON = field(default_factory=dict)


class Workflows:
    """Templates, what runs, and what people are asked."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.templates: dict[int, Template] = {}
        self.instances: dict[str, Instance] = {}
        self.assignments: dict[int, Assignment] = {}

    def add_template(
        self, name: str, entity_type_id: int, people: list[int], question: str, kind: str = "approve"
    ) -> Template:
        """Draw a template in the designer; ``kind`` is approve, review, request or request_optional."""
        number = max(self.templates, default=500) + 2
        document_type = self._portal.automation.document_type(entity_type_id)
        created = Template(number, name, document_type, ACTIVITIES[kind], people, question)
        self.templates[number] = created
        return created

    def start(self, template: Template, document_id: list[str], parameters: JSON, caller: Caller) -> Instance:
        """Start a workflow: its people get their assignments."""
        world = self._portal.world
        name = f"{world.hex(14)}.{world.random.randrange(10**8):08d}"
        instance = Instance(name, template, document_id, self._portal.now(), caller.user_id, parameters)
        self.instances[name] = instance
        for user_id in template.people:
            number = max(self.assignments, default=1400) + 2
            self.assignments[number] = Assignment(number, instance, user_id)
        return instance

    def settle(self, assignment: Assignment, status: int, comment: str, fields: JSON) -> None:
        """Take a person's answer; the workflow ends with the last one."""
        assignment.status, assignment.comment, assignment.fields = status, comment, fields
        rest = [a for a in self.assignments.values() if a.instance is assignment.instance and a.status == RUNNING]
        if not rest:
            assignment.instance.status = "completed"

    def terminate(self, instance: Instance) -> None:
        """Stop a workflow and take its open assignments away."""
        instance.status = "terminated"
        gone = [n for n, a in self.assignments.items() if a.instance is instance and a.status == RUNNING]
        for number in gone:
            del self.assignments[number]
