"""What an administrator settles for one portal, on the settings page."""

from __future__ import annotations

from datetime import date, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from b24app.core.text import Lang
from b24app.core.worktime import WorkCalendar

SMS_PROVIDER = "b24app_sms"
"""The code under which portals know the application as an SMS provider."""


class Gateway(BaseModel):
    """An SMS gateway as one HTTP request; ``{phone}``, ``{text}`` and ``{id}`` are filled in.

    ``ok`` is a text the answer must contain (the HTTP status alone decides when it is empty); ``failed`` one it must not.
    ``status_url`` asks whether message ``{id}`` to ``{phone}`` is known; ``status_ok`` is what a known one answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = ""
    method: Literal["GET", "POST", "POST JSON"] = "POST JSON"
    fields: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    ok: str = ""
    failed: str = ""
    status_url: str = ""
    status_ok: str = ""


class Secrets(BaseModel):
    """What is kept encrypted: gateways carry passwords, the payment key signs payment messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway: Gateway = Gateway()
    payment_key: str = ""


class PortalSettings(BaseModel):
    """The settings of a portal. Hours and days are the company's, in the company's zone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lang: Lang = "ru"
    zone: str = "Europe/Moscow"
    day_starts: time = time(9)
    day_ends: time = time(18)
    weekend: tuple[int, ...] = (5, 6)
    country: str = "RU"
    public_holidays: bool = True
    holidays: tuple[date, ...] = ()
    working_weekends: tuple[date, ...] = ()
    training: bool = True
    fallback: int | None = None
    stand_ins: dict[str, int] = Field(default_factory=dict)
    crew_departments: tuple[int, ...] = ()
    crew_users: tuple[int, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @field_validator("day_ends")
    @classmethod
    def _after_start(cls, value: time, others: Any) -> time:
        if value <= others.data.get("day_starts", time(0)):
            raise ValueError("the working day ends before it begins")
        return value

    @field_validator("weekend")
    @classmethod
    def _week(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) > 6 or any(not 0 <= day <= 6 for day in value):
            raise ValueError("a week needs a working day; days are 0 (Monday) to 6 (Sunday)")
        return value

    def calendar(self, holidays: frozenset[date]) -> WorkCalendar:
        """Make the working calendar, with the public holidays found for the country."""
        return WorkCalendar(
            zone=self.zone,
            starts=self.day_starts,
            ends=self.day_ends,
            weekend=frozenset(self.weekend),
            holidays=holidays | frozenset(self.holidays),
            working_weekends=frozenset(self.working_weekends),
        )
