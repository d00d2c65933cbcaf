"""The ceiling process holds what was agreed with the company, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from b24app.core.actions import Step
from b24app.core.process import ProcessDef, StageDef, process_from_json, process_to_json
from b24app.core.process_file import read_folder, read_process
from b24app.core.properties import from_file
from robots import CATALOGUE

FOLDER = Path(__file__).parents[2] / "processes"
STAGES = [
    "Заключить договор",
    "Договор подписан, счет отправлен",
    "Оплата за материалы поступила",
    "Материалы закуплены",
    "Дата начала работ согласована",
    "Монтаж назначен",
    "Работы завершены",
    "Оплата получена, работы приняты",
    "Сделка не успешная",
]
KEY_STAGES = STAGES[:7]


@pytest.fixture(scope="module")
def processes() -> dict[str, ProcessDef]:
    return {file.process.code: file.process for file in read_folder(FOLDER, CATALOGUE)}


@pytest.fixture(scope="module")
def ceiling(processes: dict[str, ProcessDef]) -> ProcessDef:
    return processes["ceiling_installation"]


def stage(process: ProcessDef, name: str) -> StageDef:
    found = process.stage_by_name(name)
    assert found is not None
    return found


def every_step(steps: tuple[Step, ...]) -> Iterator[tuple[Step, Any]]:
    """Walk steps with their properties, and the steps that follow from them."""
    for step in steps:
        props, problems = from_file(CATALOGUE[step.robot], step.props)
        assert problems == []
        yield step, props
        yield from every_step(getattr(props, "done", ()))


def the(robot: str, steps: tuple[Step, ...], name: str = "") -> Any:
    """Return the properties of the one step of a robot (with a task name) among steps."""
    found = [p for step, p in every_step(steps) if step.robot == robot and (not name or p.name == name)]
    assert len(found) == 1
    return found[0]


def russian(texts: Any) -> list[str]:
    return [text.ru for text in texts]


def test_the_nine_stages_stand_in_order_under_their_exact_names(ceiling: ProcessDef) -> None:
    assert [s.name.ru for s in ceiling.stages] == STAGES
    assert [s.semantics for s in ceiling.stages] == ["process"] * 7 + ["success", "failure"]


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Оплата за материалы получена", "Оплата за материалы поступила"),
        ("дата монтажа согласована", "Дата начала работ согласована"),
        ("Договор подписан счёт отправлен", "Договор подписан, счет отправлен"),
    ],
)
def test_other_names_of_a_stage_mean_the_same_stage(ceiling: ProcessDef, alias: str, name: str) -> None:
    assert stage(ceiling, alias).name.ru == name


def test_the_deal_needs_client_amount_and_the_signed_contract_before_the_invoice_stage(ceiling: ProcessDef) -> None:
    signed = stage(ceiling, "Договор подписан, счет отправлен")

    assert the("require_fields", signed.checks).fields == ("contact_or_company", "amount", "contract_file")
    assert ceiling.fields["contract_file"].type == "file"
    assert signed.otherwise[0].robot == "return_deal"
    assert the("training_comment", signed.otherwise).when == "difficulty"


@pytest.mark.parametrize("name", STAGES[1:8])
def test_what_fails_is_returned_with_a_task_and_a_lesson(ceiling: ProcessDef, name: str) -> None:
    assert [step.robot for step in stage(ceiling, name).all_otherwise] == ["return_deal", "training_comment"]


def test_the_contract_task_has_its_five_lines_and_a_control_after_a_day(ceiling: ProcessDef) -> None:
    task = the("autotask", stage(ceiling, "Заключить договор").enter)

    assert task.title.ru == "Подписать договор"
    assert russian(task.checklist) == [
        "Оформить договор",
        "Согласовать договор с клиентом",
        "Подписать договор",
        "Выставить счёт",
        "Вручить или отправить счёт",
    ]
    assert (str(task.control_after), str(task.control_to), task.holds) == ("24h", "head_of_sales", "return")
    assert task.control_title.ru.startswith("Разобраться в причинах превышения срока")


@pytest.mark.parametrize("name", KEY_STAGES)
def test_every_key_stage_teaches_gives_a_task_and_controls_it_in_its_own_way(ceiling: ProcessDef, name: str) -> None:
    steps = list(every_step(stage(ceiling, name).enter))
    lessons = [p for step, p in steps if step.robot == "training_comment"]
    controls = [p for _, p in steps if getattr(p, "control_after", None) is not None]
    controls += [p for step, p in steps if step.robot == "remind_before" and str(p.to) == "head_of_sales"]

    assert len(lessons) == 1 and len(lessons[0].steps) >= 3 and lessons[0].links and lessons[0].video
    assert controls and all(getattr(p, "control_checklist", p.checklist) for p in controls)


def test_no_two_stages_control_with_the_same_checklist(ceiling: ProcessDef) -> None:
    lists = [
        tuple(russian(p.control_checklist))
        for s in ceiling.stages
        for _, p in every_step(s.enter)
        if getattr(p, "control_after", None)
    ]

    assert len(lists) == len(set(lists)) == 7


def test_everything_that_happens_while_money_is_awaited_is_recorded(ceiling: ProcessDef) -> None:
    signed = stage(ceiling, "Договор подписан, счет отправлен")
    task = the("autotask", signed.enter)

    assert task.title.ru == "Связаться с клиентом и уточнить дату предоплаты"
    assert signed.enter[0].robot == "record"
    assert [step.robot for step in task.done] == ["record"]
    assert signed.changes is not None
    assert signed.changes.fields == ("prepayment_date", "payment_note")
    assert [step.robot for step in signed.changes.then] == ["record"]


def test_materials_hold_the_process_until_the_whole_checklist_is_done_within_three_working_days(ceiling: ProcessDef) -> None:
    task = the("autotask", stage(ceiling, "Оплата за материалы поступила").enter)

    assert (str(task.deadline), task.holds, task.full_checklist) == ("3 working days", "return", True)
    assert len(task.checklist) == 4


def test_the_agreed_date_and_the_booking_are_checked_and_a_mistake_returns_the_deal(ceiling: ProcessDef) -> None:
    agreed = stage(ceiling, "Дата начала работ согласована")

    assert [step.robot for step in agreed.all_checks] == [
        "check_open_tasks",
        "check_installation_date",
        "check_installer_booking",
    ]
    assert the("return_deal", agreed.otherwise).to == ""


def test_the_client_is_called_the_day_before_and_a_new_date_is_checked_again(ceiling: ProcessDef) -> None:
    agreed = stage(ceiling, "Дата монтажа согласована")
    call = the("remind_before", agreed.enter, "confirm_client")

    assert call.title.ru == "Позвонить клиенту и подтвердить готовность принять монтажников"
    assert (str(call.before), call.holds) == ("1d", "return")
    assert agreed.changes is not None
    assert set(agreed.changes.fields) >= {"install_date", "install_time", "installer"}
    assert [step.robot for step in agreed.changes.then] == ["wind_up", "check_again"]


def test_the_client_gets_one_sms_and_the_installer_everything_about_the_order(ceiling: ProcessDef) -> None:
    scheduled = stage(ceiling, "Монтаж назначен")
    sms, task = the("send_sms", scheduled.enter), the("installer_task", scheduled.enter)

    assert {"when", "address"} <= sms.text.places()
    assert len(task.checklist) >= 8
    assert "contract_file" in task.description.places()
    assert task.documents_field == "documents"


def test_finished_works_are_told_the_client_is_asked_and_the_work_accepted(ceiling: ProcessDef) -> None:
    task = the("installer_task", stage(ceiling, "Монтаж назначен").enter)
    asked = the("autotask", task.done)

    assert [step.robot for step in task.done] == ["notify", "autotask"]
    assert asked.title.ru == "Связаться с клиентом и узнать мнение о результате и качестве работ"
    assert "Убедиться, что акты подписаны клиентом" in russian(asked.checklist)
    assert [(step.robot, dict(step.props)) for step in asked.done] == [("accept_work", {"task": "install"})]


def test_a_new_date_after_that_takes_everything_back_to_the_date_stage(ceiling: ProcessDef) -> None:
    changes = stage(ceiling, "Монтаж назначен").changes

    assert changes is not None
    assert the("wind_up", changes.then).tasks == ("install", "ask_client")
    back = the("return_deal", changes.then)
    assert (back.to, back.because) == ("date_agreed", "date_changed")


def test_the_last_task_is_about_the_money(ceiling: ProcessDef) -> None:
    task = the("autotask", stage(ceiling, "Работы завершены").enter)

    assert task.title.ru == "Убедиться, что оплата за выполненные работы получена"
    assert task.holds == "return"


def test_confirmed_payments_move_the_deal_forward_and_close_their_tasks(ceiling: ProcessDef) -> None:
    rules = [(rule.stage, rule.to, rule.close) for rule in ceiling.payments]

    assert rules == [
        ("contract_signed", "materials_paid", ("prepayment",)),
        ("work_done", "paid_accepted", ("final_payment",)),
    ]


def test_a_lost_deal_leaves_nothing_open_behind(ceiling: ProcessDef) -> None:
    wound_up = the("wind_up", stage(ceiling, "Сделка не успешная").enter)

    assert (wound_up.tasks, wound_up.timers, wound_up.visit) == ((), True, True)


def test_a_good_lead_becomes_a_deal_of_this_pipeline(processes: dict[str, ProcessDef]) -> None:
    lead = processes["lead_to_ceiling_deal"]
    good = next(s for s in lead.stages if s.semantics == "success")

    assert (lead.item, good.id) == ("lead", "CONVERTED")
    assert the("create_deal", good.enter).pipeline == "ceiling_installation"


def test_processes_survive_being_stored(processes: dict[str, ProcessDef]) -> None:
    for process in processes.values():
        assert process_from_json(process_to_json(process)) == process


def test_the_example_is_sound_but_not_loaded(processes: dict[str, ProcessDef]) -> None:
    (example,) = read_folder(FOLDER / "examples", CATALOGUE)

    assert example.process.code not in processes
    assert example.process.entity_type_id == 1038


def test_the_example_of_the_docs_page_is_a_process() -> None:
    page = (FOLDER.parent / "docs" / "processes.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]

    assert read_process(example, "docs/processes.md", CATALOGUE).code == "windows"
