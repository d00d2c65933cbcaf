"""The quality tab: the form a stage asks for, filled in from the card at a desk or on a phone. No script is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from b24app.bitrix.errors import PortalError
from b24app.calendar import calendar_of
from b24app.core.forms import MAX_ROWS, FormDef, Question, shown, written
from b24app.core.item import ItemRef, User
from b24app.core.text import T
from b24app.engine.access import gate_of
from b24app.engine.people.forms import ItemGone, NotAsked, NotYours, Problems, Sheet, look, submit
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.web import texts
from b24app.web.cards import card_visitor, opened_card, show_page
from b24app.web.pages_auth import Visitor
from b24app.web.texts_forms import FORMS

texts.add(FORMS)
PREFIX = "q."
"""Before the names of questions, so that they meet no other field of the page."""
FEW = 5
"""So many options are shown all at once; more make a list to choose from."""

_log = log("forms")


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the last press of a button."""

    tone: str
    text: T


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on the page: the name of its field, what stands in it, and what is wrong with that."""

    question: Question
    field: str
    value: Any
    problem: T | None
    when: str
    """For the script: fields and answers that open the question, as JSON; empty where it always stands open."""
    only_if: tuple[tuple[T, T], ...]
    """The same for people: questions and answers."""
    rows: tuple[tuple[Asked, ...], ...] = ()
    in_row: bool = False

    @property
    def listed(self) -> bool:
        """Whether the answers stand in a list to choose from; a mark once set among others cannot be taken back."""
        return self.in_row or len(self.question.options) > FEW

    def has(self, option: object) -> bool:
        """Tell whether an option was chosen."""
        return str(option) in self.value if isinstance(self.value, list) else str(option) == self.value


def pages(workshop: Workshop) -> Blueprint:
    """Make the tab."""
    bp = Blueprint("forms", __name__)

    @bp.post("/b24/placement/quality")
    def opening() -> ResponseReturnValue:
        """Show the form asked for now, and the answers so far."""
        return _show(workshop, *opened_card(workshop))

    @bp.post("/b24/card/quality")
    def again() -> ResponseReturnValue:
        """Show the same once more."""
        return _show(workshop, *card_visitor(workshop))

    @bp.post("/b24/card/quality/send")
    def send() -> ResponseReturnValue:
        """Keep the answers, or show what is wrong with them; the button for one more row keeps nothing."""
        who, item = card_visitor(workshop)
        raw = sent_answers(request.form)
        if more := request.form.get("more", ""):
            return _show(workshop, who, item, raw=_one_more(raw, more))
        return _send(workshop, who, item, raw)

    return bp


def _send(workshop: Workshop, who: Visitor, item: ItemRef, raw: Mapping[str, Any]) -> str:
    form, round_ = request.form.get("form", ""), request.form.get("round", "")
    number = int(round_) if round_.isascii() and round_.isdigit() and len(round_) < 6 else 0
    try:
        done = submit(workshop, gate_of(workshop, who.portal), who.portal, item, (who.user_id, who.name), form, number, raw)
    except NotAsked:
        return _show(workshop, who, item, Said("warn", texts.WORDS["frm_not_asked"]))
    except NotYours:
        return _show(workshop, who, item, Said("bad", texts.WORDS["frm_not_yours"]))
    except ItemGone:
        return _show(workshop, who, item)
    except PortalError as error:
        _log.warning("a form was not taken", portal=who.portal.host, error=str(error))
        return _show(workshop, who, item, Said("bad", texts.WORDS["frm_later"]), raw)
    if isinstance(done, Problems):
        return _show(workshop, who, item, Said("bad", texts.WORDS["frm_wrong"]), raw, done.by_place)
    return _show(workshop, who, item, Said("good", texts.WORDS["frm_again" if done.again else "frm_sent"]))


def _show(
    workshop: Workshop,
    who: Visitor,
    item: ItemRef,
    said: Said | None = None,
    raw: Mapping[str, Any] | None = None,
    problems: Mapping[str, T] | None = None,
) -> str:
    sheet, empty = _sheet(workshop, who, item)
    values: dict[str, Any] = {"said": said, "sheet": sheet, "empty": empty, "asked": (), "told": ()}
    values["typed"] = _typed() if raw is not None else ()
    if sheet is not None:
        if sheet.form is not None and sheet.yours and not sheet.settled:
            kept = written(sheet.form.questions, sheet.before) if sheet.before else {}
            values["asked"] = asked(sheet.form, kept if raw is None else raw, problems or {})
        values["told"] = [(one, shown(one.form, one.sent.answers, who.lang, sheet.people)) for one in sheet.told]
        values["crew"] = _people(sheet)
        values["fillers"] = ", ".join(sheet.people.name(user) for user in sheet.fillers)
        values["zone"] = calendar_of(who.portal.settings, workshop.now().date()).tz
    return show_page(workshop, who, "forms.html", answers=ready_answers, **values)


def _sheet(workshop: Workshop, who: Visitor, item: ItemRef) -> tuple[Sheet | None, str]:
    try:
        return look(workshop, gate_of(workshop, who.portal), who.portal, item, who.user_id, admin=who.admin), ""
    except ItemGone:
        return None, "gone"
    except PortalError as error:
        _log.warning("a form could not be shown", portal=who.portal.host, error=str(error))
        return None, "later"


def _typed() -> list[tuple[str, str]]:
    """Return what was typed, to be sent again where the form cannot be shown now."""
    kept = ("form", "round")
    return [(name, value) for name, value in request.form.items(multi=True) if name in kept or name.startswith(PREFIX)]


def _people(sheet: Sheet) -> list[User]:
    """Return whom a question for a person offers, by name."""
    found = (user for user in sheet.people.users.values() if user.active)
    return sorted(found, key=lambda user: (user.name.casefold(), user.id))


# What was sent --------------------------------------------------------------------------------------------------------


def sent_answers(form: MultiDict[str, str]) -> dict[str, Any]:
    """Read the fields ``q.<question>`` and ``q.<rows>.<number>.<question>`` of a page; unfit names are passed over."""
    raw: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for name in form:
        parts = name.removeprefix(PREFIX).split(".")
        if not name.startswith(PREFIX):
            continue
        sent = form.getlist(name)
        value = sent if len(sent) > 1 else sent[0]
        if len(parts) == 1:
            raw[parts[0]] = value
        elif len(parts) == 3 and parts[1].isascii() and parts[1].isdigit() and len(parts[1]) <= 2:
            rows.setdefault(parts[0], {}).setdefault(int(parts[1]), {})[parts[2]] = value
    for name, numbered in rows.items():
        raw[name] = [numbered.get(number, {}) for number in range(max(numbered) + 1)]
    return raw


def _one_more(raw: dict[str, Any], name: str) -> dict[str, Any]:
    rows = raw.get(name)
    there = rows if isinstance(rows, list) else []
    return {**raw, name: [*there, {}][:MAX_ROWS]}


# What is asked --------------------------------------------------------------------------------------------------------


def asked(form: FormDef, raw: Mapping[str, Any], problems: Mapping[str, T]) -> tuple[Asked, ...]:
    """Lay a form out with what was answered so far and what is wrong with it."""
    return tuple(_laid_out(form.questions, raw, problems, ""))


def _laid_out(
    questions: tuple[Question, ...],
    raw: Mapping[str, Any],
    problems: Mapping[str, T],
    prefix: str,
    around: Mapping[str, tuple[Question, str]] | None = None,
) -> Iterator[Asked]:
    """Lay questions out; ``around`` are those outside of the row, with the names of their fields."""
    fields = {**(around or {}), **{q.name: (q, f"{PREFIX}{prefix}{q.name}") for q in questions}}
    for question in questions:
        place = f"{prefix}{question.name}"
        value = raw.get(question.name, "")
        yield Asked(
            question=question,
            field=f"{PREFIX}{place}",
            value=value,
            problem=problems.get(place),
            when=json.dumps({fields[w.question][1]: w.values for w in question.when}) if question.when else "",
            only_if=tuple((fields[w.question][0].ask, _answers(fields[w.question][0], w.values)) for w in question.when),
            rows=tuple(_rows(question, value, problems, place, fields)) if question.type == "rows" else (),
            in_row=bool(prefix),
        )


def _rows(
    question: Question,
    value: Any,
    problems: Mapping[str, T],
    place: str,
    around: Mapping[str, tuple[Question, str]],
) -> Iterator[tuple[Asked, ...]]:
    """Lay the rows out; there is always one to begin with."""
    there = [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
    there += [{}] * (max(question.least, 1) - len(there))
    for number, row in enumerate(there[: question.most]):
        yield tuple(_laid_out(question.questions, row, problems, f"{place}.{number}.", around))


def ready_answers(question: Question) -> list[tuple[str, T]]:
    """List the answers to choose from, as they are sent and as people read them."""
    match question.type:
        case "scale":
            low, high = question.span
            return [(str(mark), T.same(str(mark))) for mark in range(low, high + 1)]
        case "yes_no":
            return [(key, texts.WORDS[key]) for key in ("yes", "no")]
        case _:
            return list(question.options.items())


def _answers(question: Question, values: tuple[str, ...]) -> T:
    """Write answers a question may have for people."""
    named = dict(ready_answers(question))
    said = [named.get(value, T.same(value)) for value in values]
    return T(" / ".join(one.ru for one in said), " / ".join(one.en for one in said))
