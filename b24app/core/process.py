"""A business process as data: stages in order, what is checked and done on each, which fields and people it speaks of.

Read from YAML by `b24app.core.process_file`; what the parts mean is told in ``docs/processes.md``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from b24app.core.actions import Step
from b24app.core.forms import FormDef
from b24app.core.item import DEAL, LEAD, Semantics
from b24app.core.quality import Corrections, Quality
from b24app.core.text import T, folded

ItemKind = Literal["lead", "deal", "smart"]
FieldType = Literal[
    "string", "text", "date", "datetime", "time", "employee", "file", "money", "integer", "boolean", "enumeration", "address"
]

STANDARD_FIELDS: Mapping[str, T] = {
    "title": T("Название", "Title"),
    "responsible": T("Ответственный", "Responsible person"),
    "contact": T("Контакт", "Contact"),
    "company": T("Компания", "Company"),
    "contact_or_company": T("Контакт или компания", "Contact or company"),
    "amount": T("Сумма и валюта", "Amount and currency"),
    "currency": T("Валюта", "Currency"),
}
"""Fields every item has; a process file need not declare them."""


@dataclass(frozen=True, slots=True)
class FieldDef:
    """A field of the process: created on the portal, or an existing one where ``code`` (``UF_CRM_…``) names it."""

    name: str
    type: FieldType
    label: T
    code: str | None = None
    options: Mapping[str, T] = field(default_factory=dict)
    """The choices of an ``enumeration``."""
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class SmartType:
    """Which smart process: an existing one by ``entity_type_id``, or one found or created by ``title``."""

    title: T | None = None
    entity_type_id: int | None = None


@dataclass(frozen=True, slots=True)
class PipelineDef:
    """Which pipeline: the portal's default one, an existing one by ``id``, or one found or created by ``name``."""

    name: T | None = None
    id: int | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Booking:
    """By which fields orders book people: day, time, person, and how many hours a visit takes."""

    date: str
    time: str
    person: str
    hours: int = 4


@dataclass(frozen=True, slots=True)
class PaymentRule:
    """What a confirmed payment does: on ``stage``, close the tasks named in ``close`` and move the item on to ``to``."""

    stage: str
    to: str
    close: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        """The step that carries the rule out."""
        return Step("confirm_payment", {"to": self.to, "close": list(self.close)})


@dataclass(frozen=True, slots=True)
class Changes:
    """Steps that run when one of ``fields`` changes while the item is on the stage."""

    fields: tuple[str, ...]
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StageDef:
    """One stage: its names, and what is checked and done on it.

    ``checks``, ``otherwise`` and the rest hold what the file says; run `all_checks` and `all_otherwise`.
    """

    key: str
    name: T
    aliases: tuple[str, ...] = ()
    semantics: Semantics = "process"
    id: str | None = None
    """The portal's ``STATUS_ID`` where the stage exists already."""
    checks: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = ()
    enter: tuple[Step, ...] = ()
    changes: Changes | None = None
    leave: tuple[Step, ...] = ()
    form: FormDef | None = None
    """What somebody is asked while the item is on the stage."""

    @property
    def all_checks(self) -> tuple[Step, ...]:
        """What an entry has to pass: first the open tasks of earlier stages, except where the item has failed anyway."""
        return self.checks if self.semantics == "failure" else (Step("check_open_tasks"), *self.checks)

    @property
    def all_otherwise(self) -> tuple[Step, ...]:
        """What runs instead of ``enter`` when a check fails: the item is returned unless the file says otherwise."""
        return self.otherwise or (Step("return_deal"),)


@dataclass(frozen=True, slots=True)
class ProcessDef:
    """A process: whose items it runs, and its stages in order."""

    code: str
    title: T
    item: ItemKind
    stages: tuple[StageDef, ...]
    pipeline: PipelineDef = PipelineDef()
    smart: SmartType | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role -> whom it means; empty for an open role, for which the settings page names somebody."""
    role_titles: Mapping[str, T] = field(default_factory=dict)
    """What people call the roles; not every role has a title."""
    fields: Mapping[str, FieldDef] = field(default_factory=dict)
    booking: Booking | None = None
    payments: tuple[PaymentRule, ...] = ()
    quality: Quality | None = None
    corrections: Corrections | None = None
    version: str = ""

    @property
    def entity_type_id(self) -> int | None:
        """The portal's number for the kind of item; None for a smart process known by title only."""
        if self.item == "smart":
            return self.smart.entity_type_id if self.smart else None
        return DEAL if self.item == "deal" else LEAD

    @property
    def labels(self) -> Mapping[str, T]:
        """The names of all fields, standard and own, in both languages."""
        return {**STANDARD_FIELDS, **{name: known.label for name, known in self.fields.items()}}

    def stage(self, key: str) -> StageDef | None:
        """Return a stage by its key in the file."""
        return next((stage for stage in self.stages if stage.key == key), None)

    def stage_by_id(self, stage_id: str) -> StageDef | None:
        """Return the stage the file ties to a ``STATUS_ID`` of the portal."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    def stage_by_name(self, text: str) -> StageDef | None:
        """Return the stage people mean by a name or an alias, however they write case, ё, commas, quotes and blanks."""
        wanted = folded(text)
        return next((stage for stage in self.stages if wanted and wanted in names_of(stage)), None)

    @property
    def forms(self) -> Mapping[str, FormDef]:
        """All forms of the process by name, that of its ends among them."""
        asked = [stage.form for stage in self.stages] + [self.quality.form if self.quality else None]
        return {form.name: form for form in asked if form is not None}

    def form_on(self, stage_key: str) -> FormDef | None:
        """Return the form asked for on a stage: the stage's own, else the one for the ends of the process."""
        stage = self.stage(stage_key)
        if stage is not None and stage.form is not None:
            return stage.form
        return self.quality.form if self.quality and stage_key in self.quality.stages else None

    def stages_of_form(self, name: str) -> tuple[str, ...]:
        """Name the stages a form is asked for on, by their keys."""
        return tuple(stage.key for stage in self.stages if (form := self.form_on(stage.key)) and form.name == name)

    def enter_steps(self, stage: StageDef) -> tuple[Step, ...]:
        """Return what an entry into a stage does: its own steps, and at the end of all the summing-up is asked for."""
        asked = self.quality.step if self.quality and stage.key in self.quality.stages else None
        return stage.enter if asked is None else (*stage.enter, asked)

    def leave_steps(self, stage: StageDef) -> tuple[Step, ...]:
        """Return what leaving a stage does; an item that goes on after its end is not summed up yet."""
        given_up = self.quality.given_up if self.quality and stage.key in self.quality.stages else None
        return stage.leave if given_up is None else (*stage.leave, given_up)

    def payment_on(self, stage_key: str) -> PaymentRule | None:
        """Return what a payment confirmed on a stage does; None where the stage waits for none."""
        return next((rule for rule in self.payments if rule.stage == stage_key), None)


def names_of(stage: StageDef) -> frozenset[str]:
    """Collect everything a stage is called by, folded."""
    return frozenset(folded(name) for name in (stage.name.ru, stage.name.en, *stage.aliases))


_PROCESS: TypeAdapter[ProcessDef] = TypeAdapter(ProcessDef)


def process_to_json(process: ProcessDef) -> dict[str, Any]:
    """Write a process down as JSON, so that items keep the version they entered with."""
    dumped: dict[str, Any] = _PROCESS.dump_python(process, mode="json")
    return dumped


def process_from_json(stored: Mapping[str, Any]) -> ProcessDef:
    """Read a process back; raises `pydantic.ValidationError` for anything that is none."""
    return _PROCESS.validate_python(dict(stored))


def versioned(process: ProcessDef) -> ProcessDef:
    """Give a process its version: twelve hex digits of its content, whatever the layout and comments of its file."""
    content = process_to_json(replace(process, version=""))
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return replace(process, version=hashlib.sha256(canonical.encode()).hexdigest()[:12])
