"""The doctor's look at the export: are the settings whole, does Google let the application in, how did the last one go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from b24app.core.text import T
from b24app.engine.figures.exports import PERIOD, status
from b24app.engine.watching.doctor_checks import Finding
from b24app.engine.workshop import Workshop
from sheets_export.incidents import Incident, Throttled, Unsure

LATE = PERIOD * 3
_SETTLE = T("Как настроить: docs/sheets.md", "How to settle it: docs/sheets.md")
_WAIT = T("Повторите через несколько минут", "Try again in some minutes")
_CLOCK = T("Работает ли serve (или clock)?", "Does serve (or clock) run?")


def sheets(workshop: Workshop) -> Iterator[Finding]:
    """Judge the settings, ask Google for the spreadsheet once, and look at the last export."""
    settings = workshop.settings
    if not settings.exports:
        if settings.spreadsheet_id or settings.sheets_credentials or settings.sheets_url:
            missing = "B24APP_SHEETS_CREDENTIALS" if settings.spreadsheet_id else "B24APP_SPREADSHEET_ID"
            text = T("Выгрузка настроена не до конца: нет {name}", "The export is settled by half: {name} is missing")
            yield Finding("sheets", "warning", text.fill(name=missing), _SETTLE)
        else:
            text = T("Выгрузка в Google Sheets не настроена", "No export to Google Sheets is settled")
            yield Finding("sheets", "note", text, _SETTLE)
        return
    reached = _reached(workshop)
    yield reached
    if reached.level == "ok":
        yield from _last(workshop)


def _reached(workshop: Workshop) -> Finding:
    from sheets_export.google import connect

    settings = workshop.settings
    try:
        wire = connect(
            settings.sheets_credentials,
            settings.spreadsheet_id,
            url=settings.sheets_url,
            clock=workshop.clock,
            sleep=lambda _length: None,
        )
        title = wire.read((), "properties.title")["properties"]["title"]
    except Incident as incident:
        return Finding("sheets", "broken", incident.text, incident.remedy)
    except (Throttled, Unsure) as trouble:
        text = T("Google Sheets не отвечает: {error}", "Google Sheets does not answer: {error}")
        return Finding("sheets", "warning", text.fill(error=str(trouble) or type(trouble).__name__), _WAIT)
    text = T("Таблица «{title}» доступна", "The spreadsheet “{title}” can be reached")
    return Finding("sheets", "ok", text.fill(title=title))


def _last(workshop: Workshop) -> Iterator[Finding]:
    found, now = status(workshop), workshop.now()
    if found.trouble:
        yield Finding("export", "broken", found.trouble, found.remedy)
    elif found.row.done_at is None or not found.works:
        yield Finding("export", "note", T("Выгрузки ещё не было", "There was no export yet"), _CLOCK)
    elif now - found.row.done_at > LATE:
        text = T("Выгрузки не было дольше {n} минут", "There was no export for more than {n} minutes")
        yield Finding("export", "warning", text.fill(n=LATE // timedelta(minutes=1)), _CLOCK)
    else:
        yield Finding("export", "ok", T("Выгрузка работает", "The export works"))
