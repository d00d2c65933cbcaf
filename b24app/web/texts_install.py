"""The words of the installation pages."""

from __future__ import annotations

from collections.abc import Mapping

from b24app.core.text import T

INSTALL: Mapping[str, T] = {
    "install_title": T("Установка приложения", "Installing the application"),
    "install_hello": T(
        "Здравствуйте, {name}. Приложение зарегистрирует на портале {host} своих роботов, события и вкладки. "
        "Оно только добавляет: то, что уже есть на портале, остаётся как есть.",
        "Hello, {name}. The application will register its robots, events and tabs on {host}. "
        "It only adds: what is there already stays as it is.",
    ),
    "install_processes": T("Какие процессы подготовить", "Which processes to prepare"),
    "install_process_pipeline": T(
        "воронка «{pipeline}»; стадий: {stages}, полей: {fields}",
        "the pipeline “{pipeline}”; stages: {stages}, fields: {fields}",
    ),
    "install_process_smart": T(
        "смарт-процесс «{smart}»; стадий: {stages}, полей: {fields}",
        "the smart process “{smart}”; stages: {stages}, fields: {fields}",
    ),
    "install_process_fields": T(
        "стадии, которые есть на портале; полей: {fields}", "the stages the portal has; fields: {fields}"
    ),
    "install_process_tied": T("уже подключён к порталу", "already tied to the portal"),
    "install_processes_hint": T(
        "Чего на портале нет, будет создано. Снимите отметку, если вместо этого хотите сами выбрать воронку и стадии: "
        "это делается позже, в настройках.",
        "What the portal has not got is created. Clear a mark to choose pipeline and stages yourself instead: "
        "that is done later, in the settings.",
    ),
    "install_no_processes": T(
        "Файлов процессов нет. Роботов всё равно можно ставить на стадии в автоматизации CRM.",
        "There are no process files. Robots can be placed on stages in the CRM automation all the same.",
    ),
    "install_start": T("Установить", "Install"),
    "install_again": T("Проверить и восстановить", "Check and restore"),
    "install_running": T("Устанавливаем…", "Installing…"),
    "install_step_reading": T("Смотрим, что уже есть на портале", "Looking at what the portal has"),
    "install_step_registering": T("Регистрируем роботов, события и вкладки", "Registering robots, events and tabs"),
    "install_step_pipelines": T("Готовим воронку «{process}»", "Preparing the pipeline “{process}”"),
    "install_done": T("Готово", "Done"),
    "install_done_hint": T(
        "Сейчас портал откроет приложение. Если этого не произошло, нажмите «Завершить».",
        "The portal opens the application now. If it does not, press “Finish”.",
    ),
    "install_finish": T("Завершить", "Finish"),
    "install_problems": T("Получилось не всё", "Not everything worked"),
    "install_problems_hint": T(
        "Что получилось — сохранено. Исправьте причину и повторите: сделанное не повторится.",
        "What worked is kept. Mend the cause and try again: nothing is done twice.",
    ),
    "install_optional": T("необязательно", "optional"),
    "install_busy": T(
        "Портал просит подождать: запросов было слишком много. Повторите через {seconds} с.",
        "The portal asks for patience: there were too many requests. Try again in {seconds} s.",
    ),
    "install_someone": T(
        "Установка уже идёт в другом окне. Подождите минуту.",
        "The installation is already running in another window. Wait a minute.",
    ),
    "install_no_finish": T(
        "Библиотека Битрикс24 не загрузилась, поэтому портал не узнал о завершении. Обновите страницу портала.",
        "The Bitrix24 library did not load, so the portal was not told. Reload the portal's page.",
    ),
    "install_network": T(
        "Связь с приложением прервалась. Повторите: сделанное не повторится.",
        "The connection to the application broke. Try again: nothing is done twice.",
    ),
    "kind_robot": T("Роботы", "Robots"),
    "kind_event": T("События", "Events"),
    "kind_placement": T("Вкладки", "Tabs"),
    "kind_sms": T("СМС-провайдер", "SMS provider"),
    "kind_process": T("Процессы", "Processes"),
    "kind_card": T("Поля в карточках", "Fields in cards"),
    "count_of": T("{done} из {all}", "{done} of {all}"),
    "main_title": T("Приложение работает", "The application works"),
    "main_hint": T(
        "Журнал роботов — на вкладке в карточке сделки или лида.",
        "The robots' journal is a tab in the card of a deal or lead.",
    ),
    "connected_title": T("Портал подключён", "The portal is connected"),
    "connected_hint": T(
        "Приложение регистрирует роботов и события в фоне. Вкладку можно закрыть.",
        "The application registers its robots and events in the background. You may close this tab.",
    ),
}
