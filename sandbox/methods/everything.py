"""Fill the registry: importing this module makes every method known."""

from __future__ import annotations

from sandbox.methods import (
    application,
    calendars,
    checklist,
    crm,
    deals,
    elapsed,
    groups,
    layouts,
    messages,
    people,
    products,
    robots,
    stages,
    task_actions,
    tasks,
    timeline,
    types,
    userfields,
    workflows,
)

__all__ = [
    "application",
    "calendars",
    "checklist",
    "crm",
    "deals",
    "elapsed",
    "groups",
    "layouts",
    "messages",
    "people",
    "products",
    "robots",
    "stages",
    "task_actions",
    "tasks",
    "timeline",
    "types",
    "userfields",
    "workflows",
]
