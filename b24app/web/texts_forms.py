"""The words of the quality tab."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

FORMS: Mapping[str, T] = {
    "frm_title": T("Качество", "Quality"),
    "frm_round": T("Повторно: {round}-й раз", "Again: round {round}"),
    "frm_outside": T(
        "Этот элемент не участвует ни в одном процессе приложения, поэтому здесь нечего заполнять.",
        "This item is part of no process of the application, so there is nothing to fill in.",
    ),
    "frm_nothing": T(
        "На этой стадии заполнять нечего. Форма появится здесь, когда она понадобится.",
        "There is nothing to fill in on this stage. A form shows up here when it is needed.",
    ),
    "frm_others": T("Эту форму заполняет: {who}.", "This form is filled in by: {who}."),
    "frm_nobody": T(
        "Эту форму пока некому заполнить. Скажите об этом администратору портала.",
        "There is nobody to fill this form in yet. Tell an administrator of the portal.",
    ),
    "frm_hidden": T(
        "Ответы видят только те, кто участвует в разборе этого элемента.",
        "The answers are shown only to those who take part in the work on this item.",
    ),
    "frm_done": T("Форма заполнена, от вас больше ничего не нужно.", "The form is filled in; nothing more is needed."),
    "frm_done_but": T(
        "Форма заполнена. Если задача «{task}» ещё открыта, отметьте её чек-лист и завершите её.",
        "The form is filled in. If the task “{task}” is still open, tick its checklist and finish it.",
    ),
    "frm_before": T(
        "Подставлены ваши прошлые ответы: проверьте их и исправьте.",
        "Your earlier answers are filled in: look them over and correct them.",
    ),
    "frm_send": T("Отправить", "Send"),
    "frm_sent": T(
        "Спасибо, ответы приняты. Остальное приложение сделает само за несколько секунд.",
        "Thank you, the answers are taken. The application does the rest within seconds.",
    ),
    "frm_again": T(
        "Ответы уже приняты раньше, ничего не изменилось.", "The answers were taken before; nothing has changed."
    ),
    "frm_wrong": T(
        "Ответы пока не отправлены: исправьте отмеченное ниже.", "Not sent yet: please correct what is marked below."
    ),
    "frm_not_asked": T(
        "Пока вы отвечали, элемент перешёл на другую стадию. Ниже то, что нужно сейчас.",
        "The item moved on while you were answering. Below is what is needed now.",
    ),
    "frm_not_yours": T("Эту форму заполняет другой сотрудник.", "Somebody else fills this form in."),
    "frm_later": T(
        "Портал сейчас не отвечает. Повторите через минуту.", "The portal does not answer now. Try again in a minute."
    ),
    "frm_gone": T("Этого элемента больше нет в CRM.", "This item is no longer in the CRM."),
    "frm_if": T("Только если «{ask}» — {answer}", "Only if “{ask}” is {answer}"),
    "frm_optional": T("необязательно", "optional"),
    "frm_choose": T("— выберите —", "— choose —"),
    "frm_row": T("№ {number}", "No. {number}"),
    "frm_more": T("Добавить ещё", "Add another"),
    "frm_rows_hint": T("Пустые строки не отправляются.", "Empty rows are not sent."),
    "frm_told": T("Что уже ответили", "Answers so far"),
    "frm_by": T("{who}, {at}", "{who}, {at}"),
    "frm_by_round": T("{who}, {at}, {round}-й раз", "{who}, {at}, round {round}"),
    "frm_link": T("Откроется в новой вкладке", "Opens in a new tab"),
}
