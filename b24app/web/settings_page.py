"""The main page inside the portal: the settings for administrators, one's own open tasks for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from b24app.bitrix.errors import PortalError
from b24app.core.named_roles import titles
from b24app.core.text import T
from b24app.engine.access import gate_of, reason_of
from b24app.engine.knowledge import known
from b24app.engine.people import settling
from b24app.engine.people.asks import set_learned
from b24app.engine.people.head_of_quality import may_look
from b24app.engine.people.settling import BadSetting, Desk
from b24app.engine.workshop import Workshop
from b24app.log import log
from b24app.web import settings_forms as forms
from b24app.web import texts
from b24app.web.cards import show_page
from b24app.web.operators import Pace
from b24app.web.pages_auth import Visitor, opened_page, visitor
from b24app.web.texts_cards import BOOKING, JOURNAL
from b24app.web.texts_settings import SETTINGS

texts.add(SETTINGS)
texts.add(BOOKING)
texts.add(JOURNAL)
TESTS = 5  # test messages per portal and minute

_log = log("settings")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a form: where it stands, what to say, and on a mistake what was written and what is wrong."""

    section: str
    said: T | None = None
    tone: str = "good"
    kept: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, T] = field(default_factory=dict)
    key: str = ""


def pages(workshop: Workshop) -> Blueprint:
    """Make the main page."""
    bp = Blueprint("settings", __name__)

    @bp.post("/b24/app")
    def opening() -> ResponseReturnValue:
        """Show the main page to whoever opened the application."""
        seen = opened_page(workshop)
        viewer = seen.viewer
        who = Visitor(seen.portal, viewer.user_id, viewer.admin, viewer.name, viewer.lang)
        return show(workshop, who)

    @bp.post("/b24/app/show")
    def again() -> ResponseReturnValue:
        """Show the main page once more."""
        return show(workshop, visitor(workshop))

    @bp.post("/b24/app/me")
    def me() -> ResponseReturnValue:
        """Switch one's own training off or on."""
        who = visitor(workshop)
        set_learned(workshop, who.portal, who.user_id, request.form.get("learned") == "yes", who.name)
        return show(workshop, who)

    _forms(bp, workshop)
    _payments(bp, workshop)
    _gateway(bp, workshop)
    _gateway_test(bp, workshop)
    return bp


def show(workshop: Workshop, who: Visitor, answer: Answer | None = None) -> str:
    """Show the settings to an administrator, and to anybody else what waits for him."""
    portal = workshop.portal(who.portal.id)
    if not who.admin:
        tasks, names, learned = settling.tasks_of(workshop, portal, who.user_id)
        reason = reason_of(portal) if portal.state == "reconnect" else None
        values: dict[str, Any] = {
            "tasks": tasks,
            "names": names,
            "learned": learned,
            "now": workshop.now(),
            "reason": reason,
            "figures": may_look(workshop, portal, who.user_id, admin=False),
        }
        return show_page(workshop, who, "main_own.html", **values)
    _know_people(workshop, who)
    desk = settling.desk_of(workshop, portal)
    return show_page(
        workshop,
        who,
        "settings.html",
        figures=may_look(workshop, portal, who.user_id, admin=True),
        payments_url=f"{workshop.settings.public_url}/api/payments",
        **_words(desk, answer or Answer("")),
    )


def _know_people(workshop: Workshop, who: Visitor) -> None:
    """Read the portal's people where they are not known yet, so that they can be chosen by name."""
    if not who.portal.works:
        return
    try:
        known(workshop, who.portal, gate_of(workshop, who.portal))
    except PortalError as error:
        _log.warning("people could not be read", portal=who.portal.host, error=str(error))


def _words(desk: Desk, answer: Answer) -> dict[str, Any]:
    settings = desk.portal.settings
    people = desk.names.people
    company, gateway = forms.company_fields(settings), forms.gateway_fields(desk.portal.secrets.gateway)
    return {
        "desk": desk,
        "names": desk.names,
        "titles": titles,
        "settings": settings,
        "answer": answer,
        "wrong": answer.wrong,
        "company": {**company, **answer.kept} if answer.section == "company" else company,
        "gateway": {**gateway, **answer.kept} if answer.section == "sms" else gateway,
        "zones": sorted(available_timezones()),
        "users": sorted((u for u in people.users.values() if u.active), key=lambda u: u.name.casefold()),
        "departments": sorted(people.departments.values(), key=lambda d: d.name.casefold()),
        "methods": forms.METHODS,
        "weekdays": ("boo_mon", "boo_tue", "boo_wed", "boo_thu", "boo_fri", "boo_sat", "boo_sun"),
        "reason": reason_of(desk.portal) if desk.portal.reason and not desk.portal.works else None,
        "silence": desk.silence,
        "saved_key": bool(desk.portal.secrets.payment_key),
    }


def _forms(bp: Blueprint, workshop: Workshop) -> None:
    @bp.post("/b24/app/company")
    def company() -> ResponseReturnValue:
        """Save language, zone and working time."""
        who = visitor(workshop, admin=True)
        reading = forms.read_company(request.form)
        kept = forms.written(request.form, lists=("weekend",), flags=("public_holidays",))
        return _save(workshop, who, "company", reading, kept)

    @bp.post("/b24/app/people")
    def people() -> ResponseReturnValue:
        """Save the crew, the fallback and who stands in."""
        who = visitor(workshop, admin=True)
        desk = settling.desk_of(workshop, who.portal)
        staff = desk.names.people
        active = {user.id for user in staff.users.values() if user.active}
        reading = forms.read_people(request.form, active, staff.departments, [role.name for role in desk.roles])
        return _save(workshop, who, "people", reading, {})

    @bp.post("/b24/app/training")
    def training() -> ResponseReturnValue:
        """Save whether there is training at all, in which processes, and who needs it no more."""
        who = visitor(workshop, admin=True)
        desk = settling.desk_of(workshop, who.portal)
        settling.settle(workshop, who.portal.id, {"training": "training" in request.form}, who.name)
        wanted = set(request.form.getlist("process"))
        for running in desk.processes:
            if running.tie is not None and running.tie.training != (running.process.code in wanted):
                code, enabled = running.process.code, running.tie.enabled
                settling.switch(workshop, who.portal, code, training=code in wanted, enabled=enabled, by=who.name)
        chosen = request.form.getlist("learned")
        for user in desk.names.people.users.values():
            if user.active and (str(user.id) in chosen) != (user.id in desk.learned):
                set_learned(workshop, who.portal, user.id, str(user.id) in chosen, who.name)
        return show(workshop, who, Answer("training", texts.WORDS["set_saved"]))


def _payments(bp: Blueprint, workshop: Workshop) -> None:
    @bp.post("/b24/app/key")
    def key() -> ResponseReturnValue:
        """Make a new payment key and show it once."""
        who = visitor(workshop, admin=True)
        made = settling.new_payment_key(workshop, who.portal.id, who.name)
        return show(workshop, who, Answer("payments", texts.WORDS["set_key_made"], "warn", key=made))


def _save(
    workshop: Workshop, who: Visitor, section: str, reading: forms.Reading, kept: Mapping[str, Any]
) -> ResponseReturnValue:
    """Save what was read, or show what is wrong with everything that was written still in place."""
    wrong = dict(reading.wrong)
    if not wrong:
        try:
            settling.settle(workshop, who.portal.id, reading.changes, who.name)
            return show(workshop, who, Answer(section, texts.WORDS["set_saved"]))
        except BadSetting as bad:
            wrong[bad.name] = bad.why
    page = show(workshop, who, Answer(section, texts.WORDS["set_wrong"], "bad", kept, wrong))
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


def _gateway(bp: Blueprint, workshop: Workshop) -> None:
    @bp.post("/b24/app/gateway")
    def save() -> ResponseReturnValue:
        """Save how SMS are sent."""
        who = visitor(workshop, admin=True)
        gateway, wrong = forms.read_gateway(request.form, who.portal.secrets.gateway)
        if not wrong:
            try:
                settling.save_gateway(workshop, who.portal.id, gateway, who.name)
                return show(workshop, who, Answer("sms", texts.WORDS["set_saved"]))
            except BadSetting as bad:
                wrong = {bad.name: bad.why}
        answer = Answer("sms", texts.WORDS["set_wrong"], "bad", forms.written(request.form), wrong)
        return show(workshop, who, answer), HTTPStatus.UNPROCESSABLE_ENTITY

    @bp.post("/b24/app/gateway/preset")
    def preset() -> ResponseReturnValue:
        """Fill the form with what a known gateway wants; nothing is saved yet."""
        who = visitor(workshop, admin=True)
        chosen = forms.PRESETS.get(request.form.get("preset", ""))
        kept = {} if chosen is None else {**forms.gateway_fields(chosen), "fields": _plainly(chosen.fields)}
        return show(workshop, who, Answer("sms", texts.WORDS["set_preset"], "note", kept))


def _gateway_test(bp: Blueprint, workshop: Workshop) -> None:
    pace = Pace(TESTS)

    @bp.post("/b24/app/gateway/test")
    def test() -> ResponseReturnValue:
        """Send a test message with the saved gateway."""
        who = visitor(workshop, admin=True)
        phone = "".join(c for c in request.form.get("phone", "")[:40] if c.isascii() and (c.isdigit() or c == "+"))
        if len(phone.strip("+")) < 5:
            return show(workshop, who, Answer("sms", texts.WORDS["set_no_phone"], "bad"))
        if pace.full(str(who.portal.id), workshop.now()):
            return show(workshop, who, Answer("sms", texts.WORDS["refused_pace"], "bad"))
        pace.note(str(who.portal.id), workshop.now())
        try:
            sent = settling.send_test_sms(workshop, who.portal, phone, who.name)
        except BadSetting as bad:
            return show(workshop, who, Answer("sms", bad.why, "bad"))
        said = texts.WORDS[f"set_sms_{sent.fate}"].fill(note=sent.note)
        return show(workshop, who, Answer("sms", said, "good" if sent.fate == "sent" else "bad"))


def _plainly(fields: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in fields.items())
