"""A process that asks people: an analysis by an officer, a vote by everybody named, a summing-up at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from b24app.core.actions import AddTask, Step
from b24app.core.forms import FormDef, Question, When
from b24app.core.item import DEAL, ItemRef
from b24app.core.process import FieldDef, ProcessDef, StageDef, versioned
from b24app.core.quality import Quality
from b24app.core.text import T
from b24app.store import entries, given_tasks, journal, processes
from b24app.store.portals import Portal
from b24app.store.processes import Pinned, Tie
from tests.builders import INSTALLER
from tests.seeded import DEAL_12, FIELD_CODES, PROCESS, STAGE_IDS, House, a_card, a_portal, a_run

ANALYSIS = FormDef(
    "analysis",
    T("Анализ сделки", "Analysis of the deal"),
    (
        Question("clean", T("Замечаний нет?", "No remarks?"), "yes_no"),
        Question(
            "violations",
            T("Нарушения", "Violations"),
            "rows",
            when=(When("clean", ("no",)),),
            high=3,
            questions=(
                Question(
                    "kind",
                    T("Вид", "Kind"),
                    "choice",
                    options={"calls": T("Звонки", "Calls"), "papers": T("Документы", "Papers")},
                ),
                Question("fact", T("Факт", "Fact"), "text"),
                Question("proof", T("Ссылка", "Link"), "link", when=(When("kind", ("papers",)),)),
            ),
        ),
        Question("who", T("Кто ошибся", "Who was wrong"), "person", required=False, when=(When("clean", ("no",)),)),
    ),
    who="officer",
    submitted=(Step("record", {"text": {"ru": "Анализ готов", "en": "Analysed"}}),),
)
VOTE = FormDef(
    "vote",
    T("Согласование", "Approval"),
    (
        Question(
            "vote", T("Ваш голос", "Your vote"), "choice", options={"for": T("За", "For"), "against": T("Против", "Against")}
        ),
        Question("why", T("Почему", "Why"), "text", when=(When("vote", ("against",)),)),
    ),
    each=True,
)
SUMMARY = FormDef(
    "quality",
    T("Итоги сделки", "Summing up"),
    (
        Question("happy", T("Клиент доволен?", "Is the client happy?"), "scale"),
        Question("cases", T("Особые случаи", "Particular cases"), "text", required=False, help=T("Коротко", "In short")),
    ),
    who="responsible",
)
FILLED = versioned(
    replace(
        PROCESS,
        roles={**PROCESS.roles, "officer": f"user({INSTALLER})"},
        fields={
            **PROCESS.fields,
            "installer": FieldDef("installer", "employee", T("Монтажник", "Installer"), multiple=True),
        },
        quality=Quality(("won", "lost"), SUMMARY),
        stages=(
            StageDef("contract", T("Анализ", "Analysis"), form=ANALYSIS),
            StageDef("date_agreed", T("Согласование", "Approval"), form=VOTE),
            *PROCESS.stages[2:],
        ),
    )
)
CARD = {"crm.item.get": a_card()}


def a_portal_that_asks(house: House, member_id: str = "romashka", process: ProcessDef = FILLED, **told: Any) -> Portal:
    """Store a portal whose deals run in a process that asks people."""
    portal = a_portal(house, member_id, **told)
    with house.database.write() as connection:
        processes.publish(connection, process, house.at[0])
        processes.tie(connection, portal.id, Tie(process.code, process.version, DEAL, 7, STAGE_IDS, FIELD_CODES, True, True))
    return portal


def arrives(house: House, portal: Portal, key: str, item: ItemRef = DEAL_12, *, again: bool = False) -> None:
    """Let an item come to a stage; ``again`` runs the stage it stands on once more."""
    with house.database.write() as connection:
        (tie,) = processes.ties(connection, portal.id)
        last = entries.last(connection, portal.id, item)
        entries.add(
            connection,
            portal.id,
            item,
            history_id=None if again else (last.id if last else 0) + 1000,
            stage_id=STAGE_IDS[key],
            category_id=7,
            at=house.at[0],
            seen_at=house.at[0],
        )
        processes.pin(connection, portal.id, item, Pinned(tie.code, tie.version, STAGE_IDS[key], {}))


def on(key: str, **fields: Any) -> dict[str, Any]:
    """Answer for the deal on a stage, as the portal tells it."""
    return {"crm.item.get": a_card(stageId=STAGE_IDS[key], **fields)}


def has_task(house: House, portal: Portal, name: str, user: int, task_id: int) -> None:
    """Give somebody a task of ours about the deal."""
    task = AddTask(DEAL_12, name, f"Заполнить: {name}", user)
    run = a_run(house, portal)
    with house.database.write() as connection:
        action = journal.add_action(connection, portal.id, run, DEAL_12, f"mark-{name}-{user}", task, "done", house.at[0])
        given_tasks.add(connection, portal.id, action, f"{action:012x}", task, "date_agreed", None, house.at[0])
        given_tasks.created(connection, action, task_id)
