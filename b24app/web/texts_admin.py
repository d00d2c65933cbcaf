"""The words of the operators' pages."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

ADMIN: Mapping[str, T] = {
    "adm_title": T("Обслуживание", "Operations"),
    "adm_runs": T("Журнал", "Journal"),
    "adm_run": T("Запуск", "Run"),
    "adm_timers": T("Ожидания", "Timers"),
    "adm_portals": T("Порталы", "Portals"),
    "adm_incidents": T("Сбои", "Incidents"),
    "adm_export": T("Выгрузка", "Export"),
    "adm_alarm_export": T.same("Google Sheets"),
    "adm_alarm_spool": T("База данных", "Database"),
    "adm_exp_off": T("не настроена", "not settled"),
    "adm_exp_running": T("идёт", "under way"),
    "adm_exp_fails": T("не получается", "fails"),
    "adm_exp_works": T("работает", "works"),
    "adm_exp_never": T("ещё не было", "none yet"),
    "adm_exp_since": T("с", "since"),
    "adm_exp_open": T("Открыть таблицу", "Open the spreadsheet"),
    "adm_exp_last": T("Последняя выгрузка", "Last export"),
    "adm_exp_wrote": T(
        "строк записано: {written} из {rows}, запросов: {calls}", "rows written: {written} of {rows}, requests: {calls}"
    ),
    "adm_exp_was_full": T("полная", "in full"),
    "adm_exp_asked": T("Выгрузка начнётся в течение минуты.", "The export begins within a minute."),
    "adm_exp_changed": T("Выгрузить изменения", "Export changes"),
    "adm_exp_full": T("Выгрузить всё заново", "Export everything anew"),
    "adm_exp_hint": T(
        "Изменения выгружаются сами каждые 15 минут и при завершении коррекции. Полная выгрузка перечитывает карточки и "
        "затраты и создаёт удалённые листы.",
        "Changes are exported every 15 minutes and when a correction ends. A full export reads cards and time anew, and "
        "makes deleted sheets again.",
    ),
    "adm_exp_settle": T(
        "Выгрузка в Google Sheets включается переменными SPREADSHEET_ID и SHEETS_CREDENTIALS; как их получить, описано в "
        "docs/sheets.md. Те же таблицы можно скачать ниже.",
        "The export to Google Sheets is switched on by SPREADSHEET_ID and SHEETS_CREDENTIALS; docs/sheets.md tells how to "
        "get them. The same tables can be downloaded below.",
    ),
    "adm_exp_xlsx": T(
        "Коррекции и сводка портала на этот момент, без Google.",
        "The portal’s corrections and their summary as of now, without Google.",
    ),
    "adm_exp_download": T("Скачать XLSX", "Download XLSX"),
    "adm_no_portal": T("Порталов ещё нет.", "There is no portal yet."),
    "refused_not_settled": T("Таблица для выгрузки не настроена.", "No spreadsheet is settled to export to."),
    "adm_audit": T("Изменения", "Audit"),
    "adm_versions": T("Версии процессов", "Process versions"),
    "adm_logout": T("Выйти", "Sign out"),
    "adm_login": T("Вход для обслуживания", "Operators’ sign-in"),
    "adm_login_hint": T(
        "Ключ задаёт тот, кто установил приложение (B24APP_ADMIN_TOKEN).",
        "The key is set by whoever installed the application (B24APP_ADMIN_TOKEN).",
    ),
    "adm_login_wrong": T(
        "Ключ не подошёл. После десяти ошибок вход на минуту закрывается.",
        "The key does not fit. After ten mistakes the door stays shut for a minute.",
    ),
    "adm_name": T("Ваше имя", "Your name"),
    "adm_name_hint": T(
        "Под этим именем ваши действия записываются в историю изменений.", "Your changes are audited under this name."
    ),
    "adm_key": T("Ключ", "Key"),
    "adm_enter": T("Войти", "Sign in"),
    "adm_portal": T("Портал", "Portal"),
    "adm_item": T("Элемент", "Item"),
    "adm_item_hint": T("например, D_12", "for example D_12"),
    "adm_robot": T("Робот", "Robot"),
    "adm_state": T("Состояние", "State"),
    "adm_any": T("все", "all"),
    "adm_trouble": T("с ошибками", "in trouble"),
    "adm_show": T("Показать", "Show"),
    "adm_older": T("Более ранние", "Older"),
    "adm_newest": T("К новым", "Newest"),
    "adm_when": T("Когда", "When"),
    "adm_what": T("Что", "What"),
    "adm_why": T("Почему", "Why"),
    "adm_who": T("Кто", "Who"),
    "adm_details": T("Подробности", "Details"),
    "adm_cause": T("Причина", "Cause"),
    "adm_stage": T("Стадия", "Stage"),
    "adm_process": T("Процесс", "Process"),
    "adm_version": T("Версия", "Version"),
    "adm_props": T("Настройки робота", "Properties"),
    "adm_facts": T("Что было прочитано", "Facts read"),
    "adm_returns": T("Результаты", "Results"),
    "adm_actions": T("Действия", "Actions"),
    "adm_no_actions": T("Действий не понадобилось.", "No action was needed."),
    "adm_tries": T("попыток: {tries}", "tries: {tries}"),
    "adm_due": T("Срок", "Due"),
    "adm_since": T("Поставлен", "Set at"),
    "adm_error": T("Ошибка", "Error"),
    "adm_retry": T("Повторить", "Retry"),
    "adm_cancel_timer": T("Отменить", "Cancel"),
    "adm_wake": T("Разбудить", "Wake"),
    "adm_reason": T("Зачем", "Why"),
    "refused_why": T("Напишите, зачем: от 3 до 500 знаков.", "Say why, in 3 to 500 characters."),
    "adm_rerun": T("Запустить ещё раз", "Run again"),
    "adm_rerun_hint": T(
        "Сначала посмотрите, что будет сделано: без подтверждения ничего не меняется.",
        "First see what would be done: nothing changes without your confirmation.",
    ),
    "adm_rerun_more": T("Повторить стадию или запустить другого робота", "Run the stage again, or another robot"),
    "adm_rerun_stage": T("Пройти стадию ещё раз", "Run the stage again"),
    "adm_rerun_stage_hint": T(
        "Проверки и шаги последней стадии элемента, как при входе на неё.",
        "The checks and steps of the stage the item entered last, as if it had entered it now.",
    ),
    "adm_no_entry": T(
        "Входов этого элемента на стадии приложение не знает.", "The application knows of no stage this item entered."
    ),
    "adm_run_robot": T("Запустить робота", "Run a robot"),
    "adm_props_hint": T(
        "Как в файле процесса, по строке на свойство: «имя: значение». Пусто — значения по умолчанию.",
        "As in a process file, a line for each property: “name: value”. Empty: the defaults.",
    ),
    "adm_preview": T("Посмотреть, что будет", "Show what would happen"),
    "adm_do_it": T("Выполнить", "Do it"),
    "adm_force": T("повторить и то, что уже сделано", "repeat even what was done"),
    "adm_would": T("Было бы сделано", "Would be done"),
    "adm_done": T("Сделано", "Done"),
    "adm_no_rerun": T("Запустить не получилось: {why}", "It could not be run: {why}"),
    "adm_oldest": T("Самое старое ждёт", "The oldest waits for"),
    "adm_seconds": T("с", "s"),
    "adm_healed": T(
        "Найдено в истории без события (последний раз {at})", "Found in the history, no event came (last at {at})"
    ),
    "adm_budget": T("Запросов в лимите", "Requests in the limit"),
    "adm_waiting": T("Ждёт", "Waiting"),
    "adm_failed": T("Не удалось", "Failed"),
    "adm_read": T("Прочитан", "Read at"),
    "adm_token_user": T("Работает от имени", "Works as"),
    "adm_no_runs": T(
        "Запусков нет. Они появятся, когда сделка перейдёт на стадию. Проверьте фильтр или разбудите портал.",
        "No runs. They appear when an item enters a stage. Check the filter, or wake the portal.",
    ),
    "adm_no_timers": T("Ничего не ждёт своего часа.", "Nothing waits for its time."),
    "adm_no_portals": T(
        "Порталов нет. Добавьте локальное приложение на портале с адресом {url}/b24/install и откройте его.",
        "No portals. Add a local application on a portal with the address {url}/b24/install and open it.",
    ),
    "adm_no_incidents": T("Сбоев нет.", "No incidents."),
    "adm_no_audit": T("Никто ничего не менял.", "Nobody changed anything."),
    "adm_no_versions": T("Процессы ещё не привязаны ни к одному порталу.", "No process is tied to a portal yet."),
    "adm_seen": T("Впервые", "First seen"),
    "adm_kind_work": T("работа", "work"),
    "adm_kind_action": T("действие", "action"),
    "adm_changed": T("Готово: {what}.", "Done: {what}."),
    "refused_session": T("Вход истёк. Войдите ещё раз.", "Your session has ended. Sign in again."),
    "refused_not_found": T("Этого больше нет или оно уже в другом состоянии.", "This is gone, or in another state by now."),
}
