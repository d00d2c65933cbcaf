"""Fill the registry: importing this module makes every method known."""

from __future__ import annotations

from sandbox.methods import application, checklist, crm, people, tasks, timeline

__all__ = ["application", "checklist", "crm", "people", "tasks", "timeline"]
