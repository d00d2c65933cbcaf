"""The words of the main page and of the settings."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

SETTINGS: Mapping[str, T] = {
    "set_title": T("Настройки процессов", "Settings of the processes"),
    "set_saved": T("Сохранено.", "Saved."),
    "set_wrong": T("Не сохранено: исправьте отмеченные поля.", "Not saved: mend the marked fields."),
    "set_state": T("Портал", "Portal"),
    "set_reconnect": T(
        "Откройте это приложение ещё раз под администратором: доступ восстановится, а отложенная работа продолжится сама.",
        "Open this application once more as an administrator: access comes back and the work that waited goes on by itself.",
    ),
    "set_silence": T(
        "Работа идёт по истории, с опозданием до минуты. Нажмите кнопку ниже, чтобы восстановить подписки.",
        "Work follows the history, up to a minute late. Press the button below to restore the bindings.",
    ),
    "set_reinstall": T("Проверить и восстановить регистрацию", "Check and restore the registration"),
    "set_works_as": T("Работает от имени: {who}", "Works as: {who}"),
    "set_processes": T("Процессы", "Processes"),
    "set_no_processes": T(
        "Файлов процессов нет. Роботов можно ставить на стадии в автоматизации CRM.",
        "There are no process files. Robots can be placed on stages in the CRM automation.",
    ),
    "set_not_tied": T("не привязан к воронке", "not tied to a pipeline"),
    "set_off": T("выключен", "switched off"),
    "set_on": T("работает", "runs"),
    "set_version": T("версия {version}", "version {version}"),
    "set_outdated": T(
        "Файл процесса изменился (версия {version}). Новые сделки пойдут по нему после применения.",
        "The process file has changed (version {version}). New items follow it once it is applied.",
    ),
    "set_apply": T("Применить новую версию", "Apply the new version"),
    "set_behind": T("На прежней версии идёт элементов: {n}", "Items that keep an earlier version: {n}"),
    "set_migrate": T("Перевести их на текущую версию", "Move them to the current version"),
    "set_migrated": T("Переведено элементов: {n}", "Items moved: {n}"),
    "set_create": T("Создать воронку, стадии и поля", "Create the pipeline, stages and fields"),
    "set_map": T("Выбрать существующие", "Choose existing ones"),
    "set_switch_off": T("Выключить", "Switch off"),
    "set_switch_on": T("Включить", "Switch on"),
    "set_stages": T("Стадии и поля", "Stages and fields"),
    "set_tied": T("Процесс привязан.", "The process is tied."),
    "set_cannot_tie": T(
        "Привязать не получилось. На портале не нашлось: {what}", "It could not be tied. Missing on the portal: {what}"
    ),
    "set_portal_trouble": T(
        "Портал сейчас не отвечает. Повторите через минуту.", "The portal does not answer now. Try again in a minute."
    ),
    "set_pipeline": T("Воронка", "Pipeline"),
    "set_show_stages": T("Показать стадии воронки", "Show the stages of the pipeline"),
    "set_which_stages": T(
        "Какая стадия портала какой стадии процесса отвечает", "Which stage of the portal is which of the process"
    ),
    "set_which_stages_hint": T(
        "У каждой стадии процесса своя стадия портала. Успешной отвечает успешная, неуспешной — неуспешная.",
        "Each stage of the process has one of the portal to itself: a won one for won, a lost one for lost.",
    ),
    "set_which_fields": T("Какие поля портала использовать", "Which fields of the portal to use"),
    "set_make_fields": T("создать поля, которые не выбраны", "create the fields that are not chosen"),
    "set_choose": T("— выберите —", "— choose —"),
    "set_no_field": T("— нет поля —", "— no field —"),
    "set_overlaps": T("Робот указан дважды", "A robot is listed twice"),
    "set_overlaps_hint": T(
        "Эти роботы стоят на стадии в автоматизации портала и описаны для неё же в процессе. "
        "Работают они один раз, но лучше убрать их из автоматизации.",
        "The portal’s automation has these robots on a stage for which the process lists them too. "
        "They act once, yet it is better to remove them there.",
    ),
    "set_overlap": T(
        "«{robot}» на стадии «{stage}»: вызван порталом раз: {times}", "“{robot}” on stage “{stage}”: called {times} times"
    ),
    "set_company": T("Компания и рабочее время", "Company and working time"),
    "set_lang": T("Язык текстов на портале", "Language of the texts on the portal"),
    "set_zone": T("Часовой пояс компании", "Time zone of the company"),
    "set_day_starts": T("Рабочий день с", "The working day begins"),
    "set_day_ends": T("до", "and ends"),
    "set_weekend": T("Выходные дни", "Days off"),
    "set_country": T("Страна (две буквы)", "Country (two letters)"),
    "set_public": T("учитывать государственные праздники", "count public holidays"),
    "set_holidays": T("Свои выходные (по одной дате в строке)", "Days off of your own (one date a line)"),
    "set_workdays": T("Рабочие выходные (по одной дате в строке)", "Working weekends (one date a line)"),
    "set_training": T("Обучение", "Training"),
    "set_training_on": T("писать обучающие комментарии", "write training comments"),
    "set_training_in": T("В процессах", "In the processes"),
    "set_learned": T("Уже знают процесс (обучение им не нужно)", "Know the process (need no training)"),
    "set_people": T("Бригада и роли", "Crew and roles"),
    "set_crew_departments": T("Отделы, из которых выезжают", "Departments whose people go out"),
    "set_crew_users": T("Сотрудники, которые выезжают", "People who go out"),
    "set_crew_empty": T(
        "Бригада не указана: бронировать выезд пока некого.", "No crew was named: nobody can be booked for a visit yet."
    ),
    "set_fallback": T("Кому поручать, если больше некому", "Who gets what nobody else can be found for"),
    "set_fallback_default": T("администратор, установивший приложение", "the administrator who installed the application"),
    "set_role": T("{role}: кто это", "{role}: who it is"),
    "set_role_unnamed": T("никто не назначен", "nobody is named"),
    "set_stand_in": T("{role}: кто замещает", "{role}: who stands in"),
    "set_role_means": T("по процессу — {meant}", "by the process: {meant}"),
    "set_unnamed": T(
        "Никто не назначен: {roles}. Их задачи достаются тому, кому поручать больше некому. ",
        "Nobody is named for: {roles}. Whoever gets what nobody else can be found for gets their tasks. ",
    ),
    "set_unnamed_where": T("Назначьте людей ниже", "Name people below"),
    "set_nobody": T("никто", "nobody"),
    "set_no_people": T(
        "Список сотрудников ещё не прочитан. Обновите страницу через минуту.",
        "The people were not read yet. Reload the page in a minute.",
    ),
    "set_sms": T("SMS", "SMS"),
    "set_sms_hint": T(
        "Шлюз — один запрос по HTTP. {phone}, {text} и {id} заменяются номером, текстом и номером сообщения.",
        "The gateway is one HTTP request. {phone}, {text} and {id} are filled with number, text and message number.",
    ),
    "set_url": T("Адрес шлюза (пусто — SMS выключены)", "Address of the gateway (empty: no SMS)"),
    "set_method": T("Как отправлять", "How to send"),
    "set_fields": T("Поля (имя=значение, по одному в строке)", "Fields (name=value, one a line)"),
    "set_headers": T("Заголовки (имя=значение)", "Headers (name=value)"),
    "set_hidden": T("Пароли скрыты; нетронутые значения сохраняются.", "Passwords are hidden; untouched values are kept."),
    "set_ok": T("Успех, если ответ содержит", "Sent if the answer holds"),
    "set_failed": T("Ошибка, если ответ содержит", "Failed if the answer holds"),
    "set_status_url": T("Адрес проверки сообщения", "Address to look a message up"),
    "set_status_ok": T("Сообщение известно, если ответ содержит", "The message is known if the answer holds"),
    "set_preset": T("Впишите свои данные и сохраните.", "Enter your own data and save."),
    "set_preset_use": T("Заполнить для {name}", "Fill in for {name}"),
    "set_phone": T("Номер для проверки", "Number for a test"),
    "set_test": T("Отправить проверочное SMS", "Send a test SMS"),
    "set_no_phone": T("Укажите номер телефона.", "Enter a phone number."),
    "set_sms_sent": T("Шлюз принял сообщение. {note}", "The gateway took the message. {note}"),
    "set_sms_refused": T("Шлюз отказал: {note}", "The gateway refused: {note}"),
    "set_sms_unknown": T("Неизвестно, отправлено ли: {note}", "Nobody knows whether it was sent: {note}"),
    "set_sms_not_sent": T("Шлюз недоступен: {note}", "The gateway cannot be reached: {note}"),
    "set_payments": T("Подтверждение оплат", "Payments"),
    "set_payments_hint": T(
        "Учётная система сообщает об оплате на {url} с подписью этим ключом. Идентификатор портала: {member}.",
        "Your accounting tells of payments at {url}, signed with this key. The portal’s id: {member}.",
    ),
    "set_key_none": T("Ключа ещё нет.", "There is no key yet."),
    "set_key_is": T("Ключ создан. Показать его ещё раз нельзя.", "There is a key. It cannot be shown again."),
    "set_key_new": T("Создать новый ключ", "Make a new key"),
    "set_key_made": T(
        "Скопируйте ключ сейчас: больше он не появится. Прежний ключ не действует.",
        "Copy the key now: it will not be shown again. The key before is no longer good.",
    ),
    "own_title": T("Мои задачи по процессам", "My tasks in the processes"),
    "own_none": T(
        "Открытых задач от процессов у вас нет. Они появятся, когда сделка перейдёт на стадию с задачей для вас.",
        "You have no open tasks from processes. They come when an item enters a stage that has a task for you.",
    ),
    "own_reconnect": T(
        "Процессы на паузе: попросите администратора портала открыть это приложение.",
        "Processes are paused: ask an administrator of the portal to open this application.",
    ),
    "own_open": T("Открыть карточку", "Open the card"),
    "own_help": T("Как это работает", "How it works"),
    "own_help_1": T(
        "Переводите сделку по стадиям сами: приложение проверит, всё ли готово, и поставит задачи.",
        "Move the deal from stage to stage yourself: the application checks whether all is ready and gives the tasks.",
    ),
    "own_help_2": T(
        "Если чего-то не хватает, сделка вернётся на прежнюю стадию с объяснением в ленте.",
        "If something is missing, the deal goes back to the stage before, with the reason in its timeline.",
    ),
    "own_help_3": T(
        "Вкладка «Журнал процессов» в карточке расскажет, что и почему произошло; там же можно попросить подсказку.",
        "The tab “Process journal” in the card tells what happened and why; you can ask for a hint there too.",
    ),
}
