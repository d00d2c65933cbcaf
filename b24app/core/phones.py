"""Phone numbers as people write them, brought into the one form an SMS gateway takes."""

from __future__ import annotations

from collections.abc import Iterable

import phonenumbers

_MOBILE = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


def e164(written: str, country: str) -> str | None:
    """Bring a number into E.164 (``+79161234567``); one without a country code is of ``country``; None if it is none."""
    number = _parsed(written, country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else None


def for_sms(written: Iterable[str], country: str) -> str | None:
    """Choose the number an SMS goes to: the first mobile one, else the first valid one; None without any."""
    numbers = [number for text in written if (number := _parsed(text, country))]
    mobile = [number for number in numbers if phonenumbers.number_type(number) in _MOBILE]
    chosen = next(iter(mobile or numbers), None)
    return phonenumbers.format_number(chosen, phonenumbers.PhoneNumberFormat.E164) if chosen else None


def _parsed(written: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(written[:100], country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
