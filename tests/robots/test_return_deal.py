from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from b24app.core.actions import AddTask, Comment, MoveStage, Notify
from b24app.core.call import FieldsChanged
from b24app.core.item import Item
from b24app.core.needs import Ledger
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.return_deal import ROBOT, Props
from tests.builders import MANAGER, NOW, a_call, a_deal, a_house, a_place, an_own_task, decided, facts

REASONS = (T("нет даты", "no date"), T("мастер «[B]Икс[/B]» занят", "master is busy"))


def back(props: Props | None = None, ledger: Ledger | None = None, deal: Item | None = None, **call: Any) -> Outcome:
    return decided(ROBOT, a_call(**{"reasons": REASONS, **call}), facts(deal, ledger=ledger), props or Props())


def test_the_deal_goes_one_stage_back_with_all_reasons_and_a_task() -> None:
    outcome = back(Props(deadline=Pause(1, "w"), checklist=(T("Позвонить", "Call"),)))

    move, comment, task, notice = outcome.actions
    assert isinstance(move, MoveStage)
    assert (move.leaving, move.to) == ("C7:EXECUTING", "C7:PREPARATION")
    assert isinstance(comment, Comment)
    assert "• нет даты\n• мастер" in comment.text
    assert isinstance(task, AddTask)
    assert (task.name, task.purpose, task.responsible) == ("mend:date_agreed", "mend", MANAGER)
    assert task.title == "Исправить: Дата начала работ согласована"
    assert task.checklist == ("нет даты", "мастер «[B]Икс[/B]» занят", "Позвонить")
    assert task.deadline == NOW.replace(day=11, hour=18)
    assert isinstance(notice, Notify)
    assert notice.user == MANAGER
    assert ". Проверка не пройдена: нет даты" in notice.text
    assert outcome.ok
    assert (outcome.returns.moved, outcome.returns.to) == (True, "materials")


def test_codes_in_reasons_are_shown_and_not_read() -> None:
    comment = back().actions[1]
    assert isinstance(comment, Comment)
    assert "&#91;B&#93;Икс" in comment.text


def test_it_goes_back_to_where_it_came_from() -> None:
    outcome = back(place=a_place("assigned", came_from="contract"))
    assert outcome.returns.to == "contract"


def test_a_named_stage_wins_if_it_lies_before() -> None:
    place = a_place("assigned")
    assert back(Props(to="contract"), place=place).returns.to == "contract"
    assert back(Props(to="C7:EXECUTING"), place=place).returns.to == "date_agreed"
    assert not back(Props(to="won"), place=place).returns.moved
    assert back(Props(to="no such stage"), place=place).returns.to == "date_agreed"


def test_the_first_stage_stays_and_everything_else_happens() -> None:
    outcome = back(place=a_place("contract"))

    assert not [a for a in outcome.actions if isinstance(a, MoveStage)]
    assert [a.kind for a in outcome.actions] == ["comment", "add_task", "notify"]
    assert "первая" in outcome.why.ru


def test_an_open_mend_task_is_not_doubled() -> None:
    ledger = Ledger(tasks=(an_own_task("mend:date_agreed", title="Исправить дату", purpose="mend"),))
    outcome = back(ledger=ledger)

    assert [a.kind for a in outcome.actions] == ["move_stage", "comment", "notify"]
    assert "«Исправить дату» уже открыта" in outcome.why.ru


def test_a_changed_date_is_told_with_its_new_value() -> None:
    house = a_house(labels={"install_date": T("Дата монтажа", "Installation date")})
    deal = a_deal(fields={"install_date": date(2026, 6, 20)})
    cause = FieldsChanged(("install_date",))
    outcome = back(
        Props(because="date_changed", to="date_agreed"),
        None,
        deal,
        cause=cause,
        house=house,
        reasons=(),
        place=a_place("assigned"),
    )

    assert "Согласованная дата изменилась: Дата монтажа: теперь 20.06.2026" in outcome.why.ru
    assert outcome.returns.to == "date_agreed"


def test_the_administrator_s_own_reason_is_told_too() -> None:
    outcome = back(Props(reason=T.same("Клиент {client} передумал")), reasons=())
    assert "Клиент Анна Клиентова передумал" in outcome.why.ru


def test_no_reason_is_said_to_be_none() -> None:
    assert "причина не указана" in back(reasons=()).why.ru


def test_reasons_of_any_length_fit() -> None:
    long = (T.same("я" * 60_000),)
    outcome = back(reasons=long)
    assert all(len(a.text) <= 20_000 for a in outcome.actions if isinstance(a, (Comment, Notify)))
    assert all(len(line) <= 250 for a in outcome.actions if isinstance(a, AddTask) for line in a.checklist)


def test_nobody_to_mend_it_leaves_comments() -> None:
    outcome = decided(
        ROBOT, a_call(reasons=REASONS, house=a_house(fallback=None)), facts(a_deal(responsible_id=99)), replace(Props())
    )
    assert [a.kind for a in outcome.actions] == ["move_stage", "comment", "comment"]
