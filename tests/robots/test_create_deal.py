from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from b24app.core.actions import AddItem, SetTimer
from b24app.core.call import Cause, Place, StagePoint
from b24app.core.item import LEAD, Item, ItemRef, People
from b24app.core.properties import from_file
from b24app.core.robot import Outcome
from b24app.core.text import T
from b24app.core.worktime import Pause
from robots.create_deal import ROBOT, Props
from tests.builders import HEAD, MANAGER, NOW, a_call, a_deal, decided, facts, people, timer_due

REF = ItemRef(LEAD, 5)
CONVERTED = StagePoint("converted", "CONVERTED", T("Качественный лид", "Good lead"), "success")
JUNK = StagePoint("junk", "JUNK", T("Некачественный лид", "Junk lead"), "failure")
PROPS = Props("ceiling_installation")
DUE = timer_due("create_deal")


def a_lead(**changes: object) -> Item:
    return a_deal(**{"ref": REF, "title": "Потолки Анне", "stage_id": "CONVERTED", **changes})


def make(
    cause: Cause | None = None,
    deals: tuple[int, ...] = (),
    lead: Item | None = None,
    props: Props = PROPS,
    staff: People | None = None,
) -> Outcome:
    place = Place("CONVERTED", (CONVERTED, JUNK))
    world = facts(lead or a_lead(), deals=deals, ref=REF, staff=staff)
    return decided(ROBOT, a_call(cause, item=REF, place=place), world, props)


def test_the_portal_is_given_time_to_make_the_deal_itself() -> None:
    (timer,) = make().actions

    assert isinstance(timer, SetTimer)
    assert (timer.due, timer.lives) == (NOW + timedelta(minutes=2), "item")
    assert from_file(ROBOT, timer.step.props) == (PROPS, [])


def test_then_the_deal_carries_over_what_the_lead_knows() -> None:
    deal, comment = make(DUE).actions

    assert isinstance(deal, AddItem)
    assert (deal.entity_type_id, deal.about) == (2, REF)
    assert deal.fields == {
        "title": "Потолки Анне",
        "contactId": 3,
        "opportunity": "120000",
        "currencyId": "RUB",
        "assignedById": MANAGER,
        "leadId": 5,
        "pipeline": "ceiling_installation",
    }
    assert comment.kind == "comment"


def test_a_deal_made_by_the_portal_is_enough() -> None:
    for cause in (None, DUE):
        assert make(cause, deals=(41,)).why.ru == "Сделка уже есть (№ 41), вторая не нужна"


def test_no_wait_makes_the_deal_at_once() -> None:
    assert isinstance(make(props=Props(wait=Pause(0, "m"))).actions[0], AddItem)


def test_a_lead_lost_meanwhile_makes_no_deal() -> None:
    assert make(DUE, lead=a_lead(stage_id="JUNK")).actions == ()


def test_a_dismissed_manager_s_deal_goes_to_the_head() -> None:
    deal = make(DUE, staff=people(without=[MANAGER])).actions[0]
    assert isinstance(deal, AddItem)
    assert deal.fields["assignedById"] == HEAD


def test_an_empty_amount_is_left_out() -> None:
    deal = make(DUE, lead=a_lead(amount=Decimal(0))).actions[0]
    assert isinstance(deal, AddItem)
    assert "opportunity" not in deal.fields


def test_it_works_for_leads_only() -> None:
    assert ROBOT.entity_types == frozenset({LEAD})
