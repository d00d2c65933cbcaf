"""What a finished deal teaches: its responsible sums up in the card, and the quality department gets an item to analyse."""

from __future__ import annotations

from demo.screens import DEAL, Browser
from demo.walk import Walk

SUMMING_UP = "Подвести итоги"
CORRECTIONS = "Анализ и коррекции"
QUALITY_OFFICER = 11


def summed_up(walk: Walk, deal: int, user: int, **answers: str) -> None:
    """Fill the form of the tab in, as the task asks; nothing of the deal is open or waits after it."""
    walk.given(deal, user, SUMMING_UP)

    def send() -> None:
        filled = {f"q.{name}": answer for name, answer in answers.items()}
        tab(walk, user, DEAL, deal).submit("/quality/send", **filled)

    walk.act(user, "заполняет анкету на вкладке «Качество»", "fills in the form on the tab “Quality”", send)
    left, timers = walk.open_tasks(deal), walk.office.timers(deal)
    walk.tell.expect(
        "открытых задач и ожиданий нет",
        "no task is open, nothing waits",
        seen=not left and not timers,
        instead=(left, timers),
    )
    found = corrections(walk)
    about = [item for item in found if str(item.get(f"parentId{DEAL}")) == str(deal)]
    walk.tell.expect(
        "в отделе качества появился элемент анализа, связанный со сделкой",
        "the quality department has an item of analysis, tied to the deal",
        seen=len(about) == 1,
        instead=found,
    )


def correction_of(walk: Walk, deal: int) -> tuple[int, int]:
    """Return the item of the smart process that is about a deal: its kind and its number."""
    (found,) = [item for item in corrections(walk) if str(item.get(f"parentId{DEAL}")) == str(deal)]
    return int(str(found["entityTypeId"])), int(str(found["id"]))


def corrections(walk: Walk) -> list[dict[str, object]]:
    """Return the items of the smart process for corrections."""
    types = walk.portal.click(1, "crm.type.list")["types"]
    kind = next(int(row["entityTypeId"]) for row in types if row["title"] == CORRECTIONS)
    found = walk.portal.click(1, "crm.item.list", entityTypeId=kind, select=["*"])
    return list(found["items"])


def tab(walk: Walk, user: int, kind: int, number: int) -> Browser:
    """Open the tab “Quality” of a card as the portal does."""
    placement = f"CRM_{'DEAL' if kind == DEAL else f'DYNAMIC_{kind}'}_DETAIL_TAB"
    card = next(row for row in walk.portal.ask("apps") if row["client_id"] == walk.client_id)
    handler = next(row["handler"] for row in card["placements"] if row["handler"].endswith("/placement/quality"))
    asked = {"client_id": walk.client_id, "user_id": user, "placement": placement}
    opened = walk.portal.ask("frame", {**asked, "options": {"ID": str(number)}, "handler": handler})
    browser = Browser()
    browser.post(opened["url"], opened["form"])
    return browser
