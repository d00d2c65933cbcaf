"""Numbers, amounts, moments and days, as the portal writes them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any


def integer(raw: Any) -> int | None:
    """Read a whole number that may come as text; None for anything else."""
    try:
        return int(raw)
    except (TypeError, ValueError):
        return None


def amount(raw: Any) -> Decimal:
    """Read an amount of money or a quantity; zero for anything else."""
    try:
        found = Decimal(str(raw))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)


def moment(raw: Any) -> datetime | None:
    """Read a datetime with offset; None for an empty or naive one."""
    if not isinstance(raw, str) or not raw:
        return None
    try:
        found = datetime.fromisoformat(raw)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def day(raw: Any) -> date | None:
    """Read a date by its written day: the offset of a date-only field says nothing."""
    try:
        return date.fromisoformat(str(raw)[:10])
    except ValueError:
        return None
