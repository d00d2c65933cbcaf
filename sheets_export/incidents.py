"""What goes wrong with a spreadsheet, as types; each says in words what a person has to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from b24app.core.text import EMPTY, T


class Incident(Exception):
    """Something about the spreadsheet that people should know; ``retry_after`` is set where trying again may help."""

    says: T = EMPTY
    remedy: T = T("Ничего: выгрузка повторится сама", "Nothing: it will be tried again")
    retry_after: timedelta | None = None

    def __init__(self, **parts: object) -> None:
        self.text = self.says.fill(**parts)
        super().__init__(self.text.en)


class BadCredentials(Incident):
    """The service account's key cannot be read."""

    says = T(
        "Ключ сервисного аккаунта Google не читается: {detail}. Проверьте SHEETS_CREDENTIALS.",
        "The key of the Google service account cannot be read: {detail}. Check SHEETS_CREDENTIALS.",
    )
    remedy = T(
        "Проверьте B24APP_SHEETS_CREDENTIALS: путь к файлу ключа или сам JSON",
        "See to B24APP_SHEETS_CREDENTIALS: the path of the key file, or the JSON itself",
    )


class AccessRevoked(Incident):
    """Google refuses the service account: not shared with it any more, its key revoked, or the API switched off."""

    says = T(
        "Google не пускает в таблицу: {detail}. Откройте таблицу для {account} с правом редактирования.",
        "Google refuses access to the spreadsheet: {detail}. Share the spreadsheet with {account} as an editor.",
    )
    remedy = T(
        "Откройте таблицу сервисному аккаунту как редактору; включите Google Sheets API; отозванный ключ замените новым",
        "Share the spreadsheet with the service account as an editor; enable the Google Sheets API; replace a revoked key",
    )


class SpreadsheetGone(Incident):
    """There is no spreadsheet of this id."""

    says = T(
        "Таблица {spreadsheet} не найдена. Укажите в SPREADSHEET_ID другую или восстановите её из корзины.",
        "Spreadsheet {spreadsheet} is not found. Name another one in SPREADSHEET_ID, or restore it from the bin.",
    )
    remedy = T(
        "Верните таблицу из корзины или укажите другую в B24APP_SPREADSHEET_ID",
        "Restore the spreadsheet from the bin, or name another one in B24APP_SPREADSHEET_ID",
    )


class SheetGone(Incident):
    """The sheet of corrections was deleted; only a full export makes a new one."""

    says = T(
        "Лист «{title}» удалён. Полная выгрузка создаст его заново.",
        "Sheet “{title}” was deleted. A full export makes it anew.",
    )


class KeyColumnGone(Incident):
    """The column of keys was deleted: nothing can be told apart, so nothing is written."""

    says = T(
        "На листе «{title}» нет столбца с ключами. Верните его (история версий) или удалите лист и выгрузите всё заново.",
        "Sheet “{title}” has no column of keys. Bring it back (version history), or delete the sheet and export in full.",
    )
    remedy = T(
        "Верните столбец через историю версий или удалите лист: полная выгрузка создаст его заново",
        "Bring the column back by the version history, or delete the sheet: a full export makes it anew",
    )


class QuotaExhausted(Incident):
    """Google's quota is used up for longer than was waited."""

    says = T(
        "Квота Google Sheets исчерпана, выгрузка продолжится позже.", "The Google Sheets quota is used up; to be continued."
    )

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__()
        self.retry_after = retry_after


class SheetsUnreachable(Incident):
    """Google did not answer, or not sensibly, for longer than was waited."""

    says = T("Google Sheets не отвечает: {detail}.", "Google Sheets does not answer: {detail}.")

    def __init__(self, detail: str, retry_after: timedelta) -> None:
        super().__init__(detail=detail)
        self.retry_after = retry_after


class SheetsRefused(Incident):
    """Google refused a request as wrong: a protected range, a full spreadsheet."""

    says = T("Google Sheets отклонил запись: {detail}.", "Google Sheets refused to write: {detail}.")
    remedy = T(
        "Прочитайте слова Google; снимите защиту диапазона или дайте аккаунту право править его, а если таблица заполнена — "
        "удалите лишние листы или укажите другую таблицу",
        "Read the words of Google; lift the protection of the range, or let the account edit it; where the spreadsheet is "
        "full, delete sheets nobody needs, or name another one",
    )


@dataclass(frozen=True, slots=True)
class SheetRenamed:
    """A sheet has another title than before; it was found by its id and the export went on."""

    before: str
    now: str

    @property
    def text(self) -> T:
        words = T("Лист «{before}» теперь называется «{now}».", "Sheet “{before}” is now called “{now}”.")
        return words.fill(before=self.before, now=self.now)


@dataclass(frozen=True, slots=True)
class RowsRepeated:
    """Keys stood in several rows (copied by hand, or sorted while we wrote); the later rows were emptied."""

    rows: int

    @property
    def text(self) -> T:
        words = T(
            "Повторных строк очищено: {rows}. Сделайте полную выгрузку.",
            "Repeated rows emptied: {rows}. Make a full export.",
        )
        return words.fill(rows=self.rows)


@dataclass(frozen=True, slots=True)
class SummaryGone:
    """The sheet with the pivot tables was deleted; rows are kept up to date without it."""

    title: str

    @property
    def text(self) -> T:
        words = T(
            "Лист «{title}» удалён. Полная выгрузка создаст его заново.",
            "Sheet “{title}” was deleted. A full export makes it anew.",
        )
        return words.fill(title=self.title)


Notice = SheetRenamed | RowsRepeated | SummaryGone


class Throttled(Exception):
    """Google asks to slow down; nothing of the request was done."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after


class Unsure(Exception):
    """Nobody knows whether the request was done: read again before anything else is written."""
