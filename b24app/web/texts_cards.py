"""The words of the tabs in the card of an item."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

JOURNAL: Mapping[str, T] = {
    "jou_title": T("Журнал процесса", "Process journal"),
    "jou_stage": T("Стадия: {stage}", "Stage: {stage}"),
    "jou_outside": T(
        "Этот элемент не участвует ни в одном процессе приложения. Роботы из автоматизации портала попадут сюда же.",
        "This item is part of no process of the application. Robots placed on stages in the automation show up here too.",
    ),
    "jou_help": T("Мне нужна помощь с этим этапом", "I need help with this stage"),
    "jou_help_asked": T(
        "Подсказка появится в ленте карточки через несколько секунд.",
        "The hint appears in the card’s timeline within seconds.",
    ),
    "jou_help_already": T(
        "В этот час помощь уже просили: подсказка есть в ленте карточки.",
        "Help was asked for within this hour: the hint is in the card’s timeline.",
    ),
    "jou_help_none": T(
        "Для этого этапа подсказки нет. Спросите руководителя или администратора.",
        "There is no hint for this stage. Ask your head or an administrator.",
    ),
    "jou_know": T("Я это знаю", "I know this"),
    "jou_know_hint": T("обучающих комментариев по вашим сделкам больше не будет", "no more training comments on your deals"),
    "jou_learn": T("Снова показывать обучение", "Show me the training again"),
    "jou_learned": T("Обучение для вас выключено.", "The training is switched off for you."),
    "jou_learning": T("Обучение для вас включено.", "The training is switched on for you."),
    "jou_tasks": T("Открытые задачи", "Open tasks"),
    "jou_no_tasks": T("Открытых задач приложения нет.", "The application has no open tasks here."),
    "jou_task": T("{who}, срок {due}", "{who}, due {due}"),
    "jou_task_free": T("{who}, без срока", "{who}, no deadline"),
    "jou_overdue": T("просрочена", "overdue"),
    "jou_timers": T("Чего ждём", "What waits"),
    "jou_no_timers": T("Ничего не ждёт своего часа.", "Nothing waits for its time."),
    "jou_timer": T("в {due}", "at {due}"),
    "jou_runs": T("Что и почему произошло", "What happened and why"),
    "jou_no_runs": T(
        "Здесь пока пусто. Когда элемент перейдёт на стадию, появится, что сделано и почему, и почему чего-то не сделано.",
        "Nothing yet. Once the item enters a stage, it is told here what was done, why, and why something was not.",
    ),
    "jou_nothing_done": T("ничего не делалось", "nothing was done"),
    "jou_older": T("Показать более ранние", "Show earlier ones"),
    "jou_newest": T("К последним", "To the newest"),
    "refused_no_card": T("Вкладку нужно открыть в карточке CRM.", "Open this tab in a card of the CRM."),
    "refused_not_visible": T(
        "У вас нет доступа к этому элементу CRM или он удалён.", "You may not see this item of the CRM, or it was deleted."
    ),
}

BOOKING: Mapping[str, T] = {
    "boo_title": T("Бронирование выезда", "Booking of a visit"),
    "boo_order": T("«{title}», выезд {hours} ч", "“{title}”, a visit takes {hours} h"),
    "boo_held": T("Сейчас занято: {who}, {start}", "Held now: {who}, {start}"),
    "boo_nothing_held": T("Время ещё не выбрано.", "No time was chosen yet."),
    "boo_week": T("{first} – {last}", "{first} – {last}"),
    "boo_before": T("Раньше", "Earlier"),
    "boo_after": T("Позже", "Later"),
    "boo_day": T("Показать неделю с датой", "Show the week of"),
    "boo_go": T("Показать", "Show"),
    "boo_pick": T("Выберите свободное время и нажмите «Забронировать».", "Choose a free time and press “Book”."),
    "boo_book": T("Забронировать", "Book"),
    "boo_none_free": T(
        "На этой неделе свободного времени нет. Посмотрите следующую.",
        "There is no free time this week. Look at the next one.",
    ),
    "boo_past": T("прошло", "past"),
    "boo_day_off": T("выходной", "day off"),
    "boo_full": T("нет времени", "full"),
    "boo_busy_visit": T("заказ «{what}»", "order “{what}”"),
    "boo_busy_busy": T("занят", "busy"),
    "boo_busy_absent": T("отсутствует", "absent"),
    "boo_crew": T("Кто едет", "Who goes"),
    "boo_chosen": T(
        "Забронировано: {who}, {start}. Дата, время и монтажник появятся в карточке через несколько секунд.",
        "Booked: {who}, {start}. Date, time and installer appear in the card within seconds.",
    ),
    "boo_taken": T("Не успели: это время только что занято.", "Too late: this time has just been taken."),
    "boo_taken_by": T("Не успели: это время занимает заказ «{what}».", "Too late: order “{what}” has this time."),
    "boo_still": T(
        "Прошлый выбор ещё записывается на портал. Повторите через несколько секунд.",
        "The choice before is still being written to the portal. Try again in a few seconds.",
    ),
    "boo_pick_one": T("Сначала выберите время.", "Choose a time first."),
    "boo_blind": T(
        "Календари сотрудников прочитать не удалось, поэтому учтены только заказы. Проверьте отпуска сами.",
        "The calendars could not be read, so only orders count here. Check absences yourself.",
    ),
    "boo_no_crew": T("Некого выбрать: бригада ещё не указана.", "There is nobody to choose: no crew was named yet."),
    "boo_no_crew_admin": T(
        "Откройте приложение «Процессы» в меню портала и отметьте отделы или сотрудников в разделе «Бригада».",
        "Open the application “Processes” in the portal’s menu and mark departments or people under “Crew”.",
    ),
    "boo_no_crew_user": T(
        "Попросите администратора портала указать бригаду в приложении «Процессы».",
        "Ask an administrator of the portal to name the crew in the application “Processes”.",
    ),
    "boo_no_booking": T(
        "В процессе этого элемента выезды не бронируются: он не задаёт дату, время и исполнителя выезда.",
        "The process of this item books no visits. The tab is of use only where the process names date, time and person.",
    ),
    "boo_gone": T("Этого элемента больше нет в CRM.", "This item is no longer in the CRM."),
    "boo_later": T(
        "Портал сейчас не отвечает. Повторите через минуту.", "The portal does not answer now. Try again in a minute."
    ),
    "boo_mon": T("пн", "Mon"),
    "boo_tue": T("вт", "Tue"),
    "boo_wed": T("ср", "Wed"),
    "boo_thu": T("чт", "Thu"),
    "boo_fri": T("пт", "Fri"),
    "boo_sat": T("сб", "Sat"),
    "boo_sun": T("вс", "Sun"),
}
