"""A deal for whoever watches: when the story is over it stands on the first stage, and nothing has been done about it."""

from __future__ import annotations

from demo.story import MARIA, SIGN
from demo.walk import CONTRACT, Walk

IRINA = 3
"""The third client."""


def leave_a_deal(walk: Walk) -> int:
    """Let the manager create a deal and leave it alone; gives its number."""
    walk.tell.chapter("Сделка для вас", "A deal for you")
    fields = {"title": "Потолок на кухне, Ирина Белова", "assignedById": MARIA, "contactId": IRINA}
    deal = walk.create(MARIA, fields, "создаёт сделку; дальше её ведёте вы", "creates a deal; from here on it is yours")
    walk.stands(deal, CONTRACT)
    walk.given(deal, MARIA, SIGN)
    return deal
