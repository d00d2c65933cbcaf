"""The loop of corrections: an officer analyses a finished deal, a commission agrees on measures, departments change."""

from __future__ import annotations

from collections.abc import Mapping

from demo.card import Card
from demo.quality import QUALITY_OFFICER, correction_of
from demo.screens import Row
from demo.walk import Walk

HEAD, MARIA, FOREMAN, ACCOUNTANT = 2, 3, 5, 9
HEAD_OF_QUALITY, HEAD_OF_IT, METHODOLOGIST = 10, 12, 13
COMMISSION = (HEAD, FOREMAN, ACCOUNTANT, HEAD_OF_QUALITY)
COLUMNS = ("Ожидает планирования", "В работе на тесте", "Тестирование", "Публикация", "Приёмка")

ANALYSIS, MEASURES, APPROVAL = "Проводим анализ", "Формулирование мер коррекции", "Согласовываем коррекцию"
CHANGES, FINALISATION, DONE = "Осуществляем изменения", "Финализация", "Коррекция завершена"
TERMS, DOCUMENTS = "Нарушены сроки или нормативы", "Ошибки в документах"
REGULATION = {"kind": "regulation", "text": "Дополнить регламент переноса монтажа"}
SYSTEM = {"kind": "system", "system": "bitrix24", "text": "Напоминать менеджеру о сроке до переноса даты"}
STAGE = {**SYSTEM, "pipeline": "Продажи ОПТ", "text": "Изменить стадию КП: проверять реквизиты договора"}
CHANGE_TASKS = (
    (REGULATION["text"], METHODOLOGIST, "Регламенты и документация", 3),
    (SYSTEM["text"], HEAD_OF_IT, "IT: изменения процессов", 5),
    (STAGE["text"], HEAD_OF_IT, "Интегратор: доработки Битрикс24", 4),
)
"""What is to be done, by whom, in which project, and how many hours it takes."""


def tell_the_corrections(walk: Walk, deal: int, lost: int) -> None:
    """Play what becomes of the summing-up of two deals."""
    card = Card(walk, correction_of(walk, deal))
    analysed(walk, card)
    rejected(walk, card)
    approved(walk, card)
    changed(walk, card)
    published(walk, card)
    praised(walk, Card(walk, correction_of(walk, lost)))


def analysed(walk: Walk, card: Card) -> None:
    """The officer goes through the checklist and finds two violations; they make the commission."""
    walk.tell.chapter("Коррекция: анализ", "The correction: analysis")
    card.stands(ANALYSIS)
    card.given(QUALITY_OFFICER, "Провести анализ")
    card.spent(QUALITY_OFFICER, "Провести анализ", hours=2)
    card.tick(QUALITY_OFFICER, "Провести анализ", "слушает звонки, сверяет сроки и документы", "goes through the checklist")
    found = [
        {"type": "terms", "fact": "Монтаж на два дня позже договора", "link": "https://company.example/call/7"},
        {"type": "documents", "fact": "В акте адрес другого заказа"},
    ]
    answers = {"violations_found": "yes", "unforeseen": "no", "conclusion": "Срок не сверяется при переносе даты"}
    card.fill(QUALITY_OFFICER, "записывает два нарушения", "writes two violations down", answers, violations=found)
    kinds = card.field("Типы нарушений")
    walk.tell.expect(
        "нарушения записаны в карточку",
        "the card names the violations",
        seen=kinds == f"{TERMS}, {DOCUMENTS}",
        instead=kinds,
    )
    members = {int(user) for user in card.field("Комиссия")}
    walk.tell.expect(
        f"нарушения собрали комиссию: {card.names(COMMISSION)}",
        f"the violations have called the commission: {card.names(COMMISSION)}",
        seen=members == set(COMMISSION),
        instead=members,
    )


def rejected(walk: Walk, card: Card) -> None:
    """The first set of measures is rejected by one member and goes back to the officer."""
    walk.tell.chapter("Коррекция: первый круг согласования", "The correction: first round of approval")
    card.move(QUALITY_OFFICER, MEASURES)
    card.stands(MEASURES)
    _words_measures(card, REGULATION, SYSTEM)
    card.move(QUALITY_OFFICER, APPROVAL)
    card.stands(APPROVAL)
    for member in COMMISSION:
        card.given(member, "Согласовать меры")
    card.fill(HEAD, "голосует за", "votes for them", {"decision": "approve"})
    against = {"decision": "reject", "comment": "А реквизиты договора кто проверит?"}
    card.fill(ACCOUNTANT, "голосует против", "votes against them", against)
    card.stands(MEASURES)
    card.commented("А реквизиты договора кто проверит?")


def _words_measures(card: Card, *measures: Mapping[str, str]) -> None:
    ru, en = f"записывает меры: {len(measures)}", f"words the measures: {len(measures)}"
    card.fill(QUALITY_OFFICER, ru, en, {"outcome": "partial"}, measures=measures)


def approved(walk: Walk, card: Card) -> None:
    """The officer adds a measure, and everybody is asked again."""
    walk.tell.chapter("Коррекция: второй круг", "The correction: second round")
    walk.wait("прошли сутки", "a day goes by", days=1)
    _words_measures(card, REGULATION, SYSTEM, STAGE)
    card.move(QUALITY_OFFICER, APPROVAL)
    for member in COMMISSION:
        card.given(member, "Согласовать меры")
        card.fill(member, "голосует за", "votes for them", {"decision": "approve"})
    card.given(QUALITY_OFFICER, "Поставить задачи на изменения")


def changed(walk: Walk, card: Card) -> None:
    """Every change goes over the board of its project; finalisation waits for all of them."""
    walk.tell.chapter("Коррекция: задачи на изменения", "The correction: change tasks")
    card.move(QUALITY_OFFICER, CHANGES)
    card.stands(CHANGES)
    for text, who, project, _ in CHANGE_TASKS:
        card.given(who, text)
        seen = card.board(text)
        walk.tell.expect(
            f"задача стоит в проекте «{project}», в столбце «{COLUMNS[0]}»",
            f"the task stands in the project “{project}”, in the column “{COLUMNS[0]}”",
            seen=seen == (project, COLUMNS[0]),
            instead=seen,
        )
    (first, who, _, hours), *others = CHANGE_TASKS
    _made(card, first, who, hours)
    card.move(QUALITY_OFFICER, FINALISATION)
    card.stands(CHANGES)
    card.commented("Возвращено")
    for text, who, _, hours in others:
        walk.wait("прошли сутки", "a day goes by", days=1)
        _made(card, text, who, hours)


def _made(card: Card, text: str, who: int, hours: int) -> None:
    """Bring a change over the board, spend time on it, finish it and have it accepted."""
    card.over_the_board(who, text, COLUMNS[1:])
    card.spent(who, text, hours=hours)
    card.finish(who, text)
    card.accept(QUALITY_OFFICER, text)


def published(walk: Walk, card: Card) -> None:
    """Documents and systems are published, everybody concerned reads the news, the correction is closed."""
    walk.tell.chapter("Коррекция: финализация и новость", "The correction: finalisation and news")
    card.move(QUALITY_OFFICER, FINALISATION)
    card.stands(FINALISATION)
    card.finish(METHODOLOGIST, "в документации")
    card.finish(HEAD_OF_IT, "в Битрикс24 и системах", proof="https://company.example/proof.png")
    news: list[Row] = walk.portal.click(MARIA, "log.blogpost.get")
    titles = [row["TITLE"] for row in news]
    walk.tell.expect(
        "менеджер видит новость об изменениях",
        "the manager sees the news of the changes",
        seen=any("Изменения в процессе" in title for title in titles),
        instead=titles,
    )
    card.move(QUALITY_OFFICER, DONE)
    card.stands(DONE)
    left = card.open_tasks()
    walk.tell.expect("открытых задач у коррекции нет", "the correction has no open task", seen=not left, instead=left)


def praised(walk: Walk, card: Card) -> None:
    """Nothing is wrong with the second deal: its manager earns points, and no measures are needed."""
    walk.tell.chapter("Вторая коррекция: всё верно", "The second correction: all is well")
    card.spent(QUALITY_OFFICER, "Провести анализ", hours=1)
    card.tick(QUALITY_OFFICER, "Провести анализ", "проходит чек-лист", "goes through the checklist")
    clean = {"violations_found": "no", "unforeseen": "no", "conclusion": "Без замечаний"}
    card.fill(QUALITY_OFFICER, "нарушений не находит", "finds no violation", clean)
    card.move(QUALITY_OFFICER, MEASURES)
    praise = {"outcome": "correct", "praise": "Всё по регламенту"}
    card.fill(QUALITY_OFFICER, "записывает итог: абсолютно корректно", "writes the outcome down: entirely correct", praise)
    points = card.field("Премиальные баллы")
    walk.tell.expect(
        "менеджеру начислено 10 баллов", "the manager has got 10 points", seen=str(points) == "10", instead=points
    )
    card.move(QUALITY_OFFICER, DONE)
    card.stands(DONE)
