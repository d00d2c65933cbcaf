"""Take a new correction in: show the summing-up, and link the item it came from to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b24app.core import wording
from b24app.core.actions import Comment, UpdateItem
from b24app.core.asking import noted, turn_of
from b24app.core.call import Call
from b24app.core.item import ItemRef, ref_of_binding
from b24app.core.needs import Facts, Need, NeedItem, NeedLedger, NeedProcess
from b24app.core.robot import NoProps, Outcome, Robot
from b24app.core.text import T, bb, plain

AGAIN = T("Карточка уже была на этой стадии, источник знает о ней", "The item was here before, its source knows of it")
BY_HAND = T("Источник не указан: коррекция заведена вручную", "No source is named: the correction was opened by hand")
NO_SOURCE = T(
    "Источник {source} удалён, анализ идёт по сохранённым итогам",
    "The source {source} was deleted, the analysis goes by the summing-up that was kept",
)
LINKED = T("Источник «{title}» ссылается на анализ", "The source “{title}” refers to the analysis")
ANALYSED = T("Качество работы разбирается здесь: {link}", "The quality of this work is looked into here: {link}")
FROM = T("Что разбираем: {link}", "What is looked into: {link}")


def needs(call: Call, props: NoProps, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the correction, and for the item it came from."""
    item = facts.get(NeedItem(call.item))
    source = ref_of_binding(item.text("source")) if item else None
    process = item.text("source_process") if item else ""
    wanted: list[Need[Any]] = [NeedLedger(call.item), NeedItem(call.item)]
    wanted += [NeedItem(source)] if source else []
    return [*wanted, NeedProcess(process)] if process else wanted


def decide(call: Call, props: NoProps, facts: Facts) -> Outcome:
    """Write both comments once, and the name of the process the source runs in; a deleted source holds nothing up."""
    item = facts[NeedItem(call.item)]
    if item is None:
        return Outcome(wording.GONE)
    if turn_of(call, facts[NeedLedger(call.item)]) > 1:
        return Outcome(AGAIN)
    ref = ref_of_binding(item.text("source"))
    if ref is None:
        return Outcome(BY_HAND)
    source = facts[NeedItem(ref)]
    process = item.text("source_process")
    known = facts[NeedProcess(process)] if process else None
    named = UpdateItem(call.item, {"source_pipeline": known.title.at(call.house.lang)}) if known else None
    kept = (named,) if named else ()
    if source is None:
        why = NO_SOURCE.fill(source=item.text("source_title") or item.text("source"))
        return Outcome(why, (*kept, noted(call, bb(call.say(why)), item.text("summary"))))
    here = call.say(FROM, link=_link(call, ref, source.title))
    there = Comment(ref, call.say(ANALYSED, link=_link(call, call.item, item.title)))
    return Outcome(LINKED.fill(title=source.title), (*kept, noted(call, here, item.text("summary")), there))


def _link(call: Call, ref: ItemRef, title: str) -> str:
    return wording.url(wording.item_link(call, ref), title) or bb(plain(title))


ROBOT = Robot(
    code="receive_correction",
    name=T("Принять в анализ", "Take in for analysis"),
    description=T(
        "Показывает итоги в карточке анализа и ставит ссылку на неё в карточке источника",
        "Shows the summing-up in the card of the analysis and links the source to it",
    ),
    decide=decide,
    props=NoProps,
    needs=needs,
    on_portal=False,
)
