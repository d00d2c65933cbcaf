"""The words of the pages, in both languages; templates call them by name: ``{{ t('retry') }}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import FileSystemLoader
from markupsafe import Markup, escape

from b24app.core.text import Lang, T
from b24app.web.texts_install import INSTALL

HERE = Path(__file__).parent

COMMON: Mapping[str, T] = {
    "app": T("Процессы", "Processes"),
    "retry": T("Повторить", "Try again"),
    "save": T("Сохранить", "Save"),
    "cancel": T("Отменить", "Cancel"),
    "back": T("Назад", "Back"),
    "yes": T("да", "yes"),
    "no": T("нет", "no"),
    "nothing_here": T("Здесь пока ничего нет", "There is nothing here yet"),
    "open_in_portal": T(
        "Откройте приложение на портале Битрикс24: эта страница работает только внутри него.",
        "Open the application on your Bitrix24 portal: this page works inside it only.",
    ),
}

REFUSED: Mapping[str, T] = {
    "refused": T("Не получилось", "That did not work"),
    "refused_default": T("Запрос не принят.", "The request was not accepted."),
    "refused_malformed": T(
        "Запрос не похож на открытие приложения с портала. Откройте приложение в Битрикс24 ещё раз.",
        "This does not look like the application being opened on a portal. Open it in Bitrix24 again.",
    ),
    "refused_unknown_sender": T(
        "Этот портал приложению не знаком. Администратору нужно установить приложение.",
        "The application does not know this portal. An administrator has to install it.",
    ),
    "refused_unknown_portal": T(
        "Допишите к адресу портал: ?portal=company.bitrix24.ru. Портал с именем другого вида сначала называют в настройке "
        "B24APP_PORTALS.",
        "Add the portal to the address: ?portal=company.bitrix24.com. A portal with a name of another kind has to stand in "
        "B24APP_PORTALS first.",
    ),
    "refused_code_spent": T(
        "Ссылка портала срабатывает один раз и недолго. Если портал ещё не подключён, начните заново: /b24/oauth/start.",
        "The portal’s link works once and not for long. If the portal is not connected yet, begin again: /b24/oauth/start.",
    ),
    "refused_not_admin": T(
        "Установить приложение может только администратор портала. Попросите его открыть приложение.",
        "Only an administrator of the portal can install the application. Ask one to open it.",
    ),
    "refused_not_allowed": T(
        "Этот портал не входит в список разрешённых. Список задаёт тот, кто обслуживает приложение.",
        "This portal is not among those allowed. The list is kept by whoever operates the application.",
    ),
    "refused_refused": T(
        "Битрикс24 не подтвердил это открытие. Обновите страницу портала и откройте приложение ещё раз.",
        "Bitrix24 did not confirm this. Reload the portal's page and open the application again.",
    ),
    "refused_wrong_client": T(
        "Битрикс24 не узнал приложение: B24APP_CLIENT_ID и B24APP_CLIENT_SECRET в его настройках — не те, что в карточке "
        "этого локального приложения. Исправляет тот, кто обслуживает приложение.",
        "Bitrix24 does not know the application: B24APP_CLIENT_ID and B24APP_CLIENT_SECRET in its settings are not those of "
        "this local application. Whoever operates the application can mend it.",
    ),
    "refused_other_portal": T(
        "Битрикс24 подтвердил другой портал. Откройте приложение ещё раз.",
        "Bitrix24 confirmed another portal. Open the application again.",
    ),
    "refused_no_tokens": T(
        "Портал не передал токены. Проверьте, что у приложения указан путь первоначальной установки.",
        "The portal sent no tokens. Check that the application has an initial installation path.",
    ),
    "refused_later": T(
        "Битрикс24 сейчас не отвечает. Повторите через минуту.", "Bitrix24 does not answer now. Try again in a minute."
    ),
    "refused_page_token": T(
        "Страница открыта слишком давно. Откройте её на портале заново.",
        "The page was opened too long ago. Open it on the portal again.",
    ),
    "refused_admin_only": T("Это может только администратор портала.", "Only an administrator of the portal may do this."),
    "refused_figures_only": T(
        "Показатели видят руководитель отдела качества и администраторы портала.",
        "The figures are for the head of quality and the administrators of the portal.",
    ),
    "refused_foreign_page": T(
        "Запрос пришёл с чужой страницы и не выполнен.", "The request came from a foreign page and was not carried out."
    ),
    "refused_pace": T(
        "Слишком много изменений за минуту. Подождите немного.", "Too many changes within a minute. Wait a little."
    ),
    "refused_http_404": T("Такой страницы нет.", "There is no such page."),
    "refused_http_405": T(
        "Эту страницу открывает портал. Откройте приложение в Битрикс24.",
        "This page is opened by the portal. Open the application in Bitrix24.",
    ),
    "refused_http_413": T("Слишком большой запрос.", "The request is too large."),
    "refused_broken": T(
        "У приложения что-то сломалось. Мы это записали; повторите чуть позже.",
        "Something broke in the application. It was written down; try again a little later.",
    ),
    "refused_not_stored": T(
        "База данных сейчас не принимает записи. Повторите через минуту.",
        "The database does not take anything now. Try again in a minute.",
    ),
}

WORDS: dict[str, T] = {**COMMON, **REFUSED, **INSTALL}
"""Every text by name; other pages add theirs with `add`."""


def add(words: Mapping[str, T]) -> None:
    """Add the texts of further pages; raises ``ValueError`` for a name that is taken by another text."""
    for name, text in words.items():
        if WORDS.setdefault(name, text) != text:
            raise ValueError(f"the text {name!r} is taken")


def speaker(lang: Lang) -> Callable[..., Markup]:
    """Give the function templates call: by name or with a `T`, places filled in; values are escaped."""

    def say(text: str | T, /, **values: object) -> Markup:
        found = text if isinstance(text, T) else WORDS[text]
        escaped = {name: value if isinstance(value, T) else str(value) for name, value in values.items()}
        return escape(found.fill(**escaped).at(lang))

    return say


def refusal(reason: str) -> str:
    """Name the text for a reason a request was turned away for."""
    name = f"refused_{reason}"
    return name if name in WORDS else "refused_default"


def loader() -> FileSystemLoader:
    """Give the folder of the templates."""
    return FileSystemLoader(HERE / "templates")
