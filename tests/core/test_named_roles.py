from __future__ import annotations

from dataclasses import replace

from b24app.core.named_roles import roles_of, titles, unnamed
from b24app.core.process import ProcessDef
from b24app.core.text import EMPTY, T
from tests.seeded import PROCESS

OFFICER = T("Сотрудник качества", "Quality officer")


def running(roles: dict[str, str], **named: T) -> ProcessDef:
    return replace(PROCESS, roles=roles, role_titles=named)


def test_a_role_of_two_processes_stands_once_with_its_title_and_open_roles_come_first() -> None:
    found = roles_of([running({"manager": "responsible", "officer": "user_7"}), running({"officer": ""}, officer=OFFICER)])

    assert [(role.name, role.title, role.open) for role in found] == [("officer", OFFICER, True), ("manager", EMPTY, False)]
    assert titles(found).ru == "Сотрудник качества, manager"


def test_only_open_roles_lack_somebody() -> None:
    roles = roles_of([running({"manager": "responsible", "officer": "", "lawyer": ""}, officer=OFFICER, lawyer=OFFICER)])

    assert [role.name for role in unnamed(roles, {"officer": 7})] == ["lawyer"]
