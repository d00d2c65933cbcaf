"""The words for what the audit and incidents keep: what was done or was to be done, and who did it where he has no name."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

ACTS: Mapping[str, T] = {
    "access_regained": T("Доступ восстановлен запасным токеном", "Access was regained by the spare token"),
    "app_installed": T("Портал сообщил об установке", "The portal told of the installation"),
    "app_updated": T("Портал сообщил об обновлении", "The portal told of an update"),
    "app_uninstalled": T("Портал сообщил об удалении", "The portal told of the removal"),
    "booking": T("Забронирован выезд", "A visit was booked"),
    "cancel_timer": T("Отменено ожидание", "A timer was cancelled"),
    "events_heard_again": T("События снова приходят", "Events come again"),
    "events_silent": T("События перестали приходить", "No events come any more"),
    "export": T("Выгрузка таблицы", "Export of the table"),
    "forget": T("Забыт элемент", "An item was forgotten"),
    "learned": T("Отметка об освоении процесса", "Mark of having learned the process"),
    "migrate": T("Перевод на новую версию процесса", "Move to the new version of the process"),
    "payment": T("Сообщение об оплате", "Message of a payment"),
    "payment_key": T("Новый ключ оплат", "New key for payments"),
    "portal_connected": T("Портал подключён", "The portal was connected"),
    "portal_moved": T("Портал сменил адрес", "The portal changed its address"),
    "portal_reconnected": T("Портал подключён заново", "The portal was connected again"),
    "process": T("Процесс включён или выключен", "A process was switched on or off"),
    "rerun": T("Повторный запуск", "Run again"),
    "restored": T("База восстановлена из копии", "The database was restored from a copy"),
    "retry": T("Повтор после сбоя", "Retry after a failure"),
    "rounds_stopped": T("Остановлен круг из двух правил", "Two rules that undo each other were stopped"),
    "set_up": T("Регистрация на портале", "Registration on the portal"),
    "spool_emptied": T("Приняты обращения, лежавшие на диске", "Callbacks kept on the disk were taken in"),
    "settings": T("Настройки", "Settings"),
    "sms_gateway": T("Настройки SMS-шлюза", "Settings of the SMS gateway"),
    "test_sms": T("Проверочное SMS", "Test SMS"),
    "tie": T("Процесс привязан к воронке", "A process was tied to a pipeline"),
    "wake": T("Портал разбужен", "The portal was woken"),
}

FAILED: Mapping[str, T] = {
    "add_item": T("создать элемент", "create an item"),
    "add_news": T("опубликовать новость", "publish news"),
    "add_task": T("поставить задачу", "give a task"),
    "add_visit": T("записать выезд в календарь", "write a visit into the calendar"),
    "answer_robot": T("ответить роботу портала", "answer the portal's robot"),
    "approve_task": T("принять задачу", "accept a task"),
    "ask": T("просьба сотрудника", "what an employee asked for"),
    "award_points": T("начислить баллы", "award points"),
    "call": T("вызов робота", "a robot's call"),
    "cancel_timers": T("отменить ожидания", "cancel timers"),
    "cancel_visit": T("убрать выезд из календаря", "take a visit off the calendar"),
    "change": T("изменение полей", "a change of fields"),
    "claim_slot": T("занять время", "claim a slot"),
    "close_task": T("закрыть задачу", "close a task"),
    "comment": T("написать комментарий", "write a comment"),
    "entry": T("вход на стадию", "entry into a stage"),
    "form": T("заполненная форма", "a form that was filled in"),
    "mark_trained": T("отметить обучение", "mark a lesson"),
    "move_stage": T("перевести на стадию", "move to a stage"),
    "notify": T("уведомить сотрудника", "notify an employee"),
    "payment": T("сообщение об оплате", "a message of a payment"),
    "release_slots": T("освободить время", "release slots"),
    "renew_task": T("вернуть задачу в работу", "take a task back to work"),
    "rerun": T("повторный запуск", "a run asked for again"),
    "run_stage_again": T("пройти стадию заново", "run a stage again"),
    "send_sms": T("отправить SMS", "send an SMS"),
    "set_timer": T("поставить ожидание", "set a timer"),
    "sms": T("SMS от портала", "an SMS of the portal"),
    "task": T("закрытие задачи", "a finished task"),
    "timer": T("подошедший срок", "a time that had come"),
    "update_item": T("записать поля", "write fields"),
    "update_task": T("изменить задачу", "change a task"),
}

NAMELESS: Mapping[str, T] = {
    "application": T("приложение", "the application"),
    "payments": T("учётная система", "the accounting system"),
    "portal": T("портал", "the portal"),
}


def act(what: str) -> T:
    """Say what was done; the word itself where a later version wrote it."""
    return ACTS.get(what) or T.same(what)


def doer(who: str) -> T:
    """Say who did it."""
    return NAMELESS.get(who) or T.same(who)


def failed(what: str) -> T:
    """Say which work or action failed."""
    return FAILED.get(what) or T.same(what)
