"""The doctor's look at cards: are the fields of the processes in them, and who could put them there.

Page: api-reference/crm/universal/item-details-configuration/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from b24app.bitrix.errors import PortalError
from b24app.bitrix.replies import Reply
from b24app.core.text import T, join
from b24app.engine.setup import layout
from b24app.engine.setup.layout import Looked, Part
from b24app.engine.setup.layout_shape import Card, read
from b24app.engine.watching.doctor_checks import Finding

_MISSING = T("«{title}»: полей нет в карточке: {names}", "“{title}”: fields are not in the card: {names}")
_TAKEN_OUT = T("«{title}»: поля убраны из карточки: {names}", "“{title}”: fields were taken out of the card: {names}")
_FINE = T("«{title}»: поля в карточке на виду", "“{title}”: the fields are in the card")
_UNREAD = T("Вид карточки не читается: {error}", "The layout of a card cannot be read: {error}")
_FIX = T("doctor --fix; если портал не даст, {do}", "doctor --fix; should the portal refuse, {do}")


def cards(
    parts: Sequence[Part], answers: Mapping[Card, Reply | PortalError], placed: Mapping[str, set[str]]
) -> Iterator[Finding]:
    """Judge the cards of all processes by their layouts; ``placed`` is what is put into cards no more."""
    for answer in answers.values():
        if isinstance(answer, PortalError):
            yield Finding("card", "note", _UNREAD.fill(error=answer.description or answer.code or type(answer).__name__))
            return
    layouts = {card: read(answer.result) for card, answer in answers.items() if isinstance(answer, Reply)}
    found: dict[str, list[Looked]] = {}
    for one in layout.looked(parts, layouts, placed):
        found.setdefault(one.part.process.code, []).append(one)
    for looks in found.values():
        yield from _of_process(looks)


def _of_process(looks: Sequence[Looked]) -> Iterator[Finding]:
    title, fine = looks[0].part.process.title, True
    for one in looks:
        if one.missing:
            fine, do = False, layout.by_hand(one.missing)
            text = _MISSING.fill(title=title, names=join([wanted.label for wanted in one.missing]))
            if one.writable:
                yield Finding("card", "warning", text, _FIX.fill(do=do), "card")
            else:
                yield Finding("card", "warning", text, do)
        if one.taken_out:
            fine = False
            names = join([wanted.label for wanted in one.taken_out])
            yield Finding("card", "note", _TAKEN_OUT.fill(title=title, names=names))
    if fine:
        yield Finding("card", "ok", _FINE.fill(title=title))
