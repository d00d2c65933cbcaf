"""Putting fields into the cards of the pretend portal: once, beside what the company has arranged."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from b24app.bitrix.errors import QueryLimit
from b24app.core.process import FieldDef
from b24app.core.text import T
from b24app.engine.access import gate_of
from b24app.engine.setup.install import Line, Report, set_up
from b24app.engine.setup.layout import parts, place
from b24app.engine.setup.pipelines import create
from b24app.store import processes
from b24app.store.portals import Portal
from tests.world import ADMIN, Theatre, theatre

GET, SET = "crm.item.details.configuration.get", "crm.item.details.configuration.set"
CEILING = "ceiling_installation"
OWN = f"b24app_{CEILING}"
CLIENT = {"name": "CLIENT", "optionFlags": "1", "options": {"defaultCountry": "RU"}}
ABOUT = {"name": "main", "title": "О заказе", "type": "section", "elements": [{"name": "TITLE", "optionFlags": "0"}, CLIENT]}
MORE = {"name": "user_4711", "title": "Свои поля", "type": "section", "elements": [{"name": "UTM", "optionFlags": "0"}]}
REQUIRED = ["CONTRACT_FILE", "INSTALL_DATE", "INSTALLER", "ADDRESS"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, processes=True) as made:
        made.open()
        yield made
        assert made.world.complaints == []


def portal(stage: Theatre) -> Portal:
    return stage.shop.workshop.portal(1)


def arranged(stage: Theatre, *sections: dict[str, Any]) -> tuple[int, int]:
    """Give the company a pipeline of the process' name whose cards it has arranged."""
    admin = stage.portal.as_user(ADMIN)
    category = admin.call("crm.category.add", entityTypeId=2, fields={"name": "Монтаж потолков"})["category"]["id"]
    stage.portal.crm.layouts.set((2, category), deepcopy(list(sections)))
    return 2, category


def installed(stage: Theatre, *codes: str) -> Report:
    report = set_up(stage.shop.workshop, portal(stage), codes or (CEILING,))
    assert report.ok, report.failures
    return report


def line_of(report: Report, code: str = CEILING) -> Line:
    (line,) = [line for line in report.lines if (line.kind, line.code) == ("card", code)]
    return line


def layout(stage: Theatre, card: tuple[int, int]) -> list[dict[str, Any]]:
    return stage.portal.crm.layouts.get(card) or []


def own(stage: Theatre, card: tuple[int, int]) -> list[str]:
    """Return the fields in the section of the process, without what all their codes begin with."""
    found = [one["name"] for section in layout(stage, card) if section["name"] == OWN for one in section["elements"]]
    return [name.removeprefix("UF_CRM_B24APP_") for name in found]


def asked(stage: Theatre) -> tuple[int, int]:
    return stage.portal.requests.count(GET), stage.portal.requests.count(SET)


def test_a_card_nobody_has_arranged_is_left_to_the_portal_which_shows_every_field(stage: Theatre) -> None:
    first = installed(stage, *stage.shop.workshop.processes)
    again = installed(stage)

    assert {line.state for report in (first, again) for line in report.lines if line.kind == "card"} == {"had"}
    assert asked(stage) == (1, 0)
    with stage.shop.workshop.database.read() as connection:
        ties = processes.ties(connection, 1)
    assert [layout(stage, (tie.entity_type_id, tie.category_id)) for tie in ties] == [[]] * len(ties)


def test_fields_get_a_section_of_their_own_and_what_the_company_arranged_stays(stage: Theatre) -> None:
    card = arranged(stage, ABOUT, MORE)

    report = installed(stage)

    assert line_of(report).state == "added"
    assert asked(stage) == (1, 1)
    about, section, more = layout(stage, card)
    assert (about, more) == (ABOUT, MORE)
    assert section["title"] == stage.shop.workshop.processes[CEILING].title.ru
    assert own(stage, card)[:4] == REQUIRED
    assert len(own(stage, card)) == len(stage.shop.workshop.processes[CEILING].fields)
    assert [one["optionFlags"] for one in section["elements"]] == ["1"] * 4 + ["0"] * (len(section["elements"]) - 4)


def test_a_portal_that_speaks_english_gets_an_english_section(stage: Theatre) -> None:
    card = arranged(stage, ABOUT)
    settings = portal(stage).settings.model_copy(update={"lang": "en"})
    with stage.shop.workshop.database.write() as connection:
        stage.shop.workshop.portals.set_settings(connection, 1, settings)
    stage.portal.as_user(ADMIN).call(
        "crm.category.update", entityTypeId=2, id=card[1], fields={"name": "Ceiling installation"}
    )

    installed(stage)

    assert layout(stage, card)[1]["title"] == stage.shop.workshop.processes[CEILING].title.en


def test_what_somebody_took_out_moved_or_renamed_stays_so_and_is_asked_for_no_more(stage: Theatre) -> None:
    card = arranged(stage, ABOUT, MORE)
    installed(stage)
    about, section, more = layout(stage, card)
    changed = [about, more, {**section, "title": "Монтаж", "elements": section["elements"][1:-1]}]
    stage.portal.crm.layouts.set(card, deepcopy(changed))

    assert line_of(installed(stage)).state == "had"
    stage.portal.crm.layouts.set(card, deepcopy([about, more]))
    installed(stage)

    assert layout(stage, card) == [about, more]
    assert asked(stage) == (1, 1)


def test_a_field_a_new_version_brings_joins_the_section_and_brings_nothing_back(stage: Theatre) -> None:
    card = arranged(stage, ABOUT, MORE)
    installed(stage)
    about, section, more = layout(stage, card)
    stage.portal.crm.layouts.set(card, [about, more, {**section, "title": "Монтаж", "elements": section["elements"][:2]}])
    process = stage.shop.workshop.processes[CEILING]
    ladder = FieldDef("ladder", "boolean", T("Нужна лестница", "Ladder needed"))
    newer = replace(process, fields={**process.fields, "ladder": ladder}, version="a-later-one")

    create(stage.shop.workshop, portal(stage), newer)
    place(stage.shop.workshop, portal(stage), gate_of(stage.shop.workshop, portal(stage)))

    assert own(stage, card) == [*REQUIRED[:2], "LADDER"]
    assert [one["title"] for one in layout(stage, card)] == ["О заказе", "Свои поля", "Монтаж"]


def test_a_field_that_stands_elsewhere_already_is_not_put_there_twice(stage: Theatre) -> None:
    known = {"name": "UF_CRM_B24APP_ADDRESS", "optionFlags": "0"}
    card = arranged(stage, ABOUT, {**MORE, "elements": [known]})

    installed(stage)

    assert own(stage, card)[:3] == REQUIRED[:3]
    assert "ADDRESS" not in own(stage, card)
    assert layout(stage, card)[2]["elements"] == [known]


def test_a_layout_that_cannot_be_written_without_loss_is_left_and_the_fields_are_named(stage: Theatre) -> None:
    renamed = {**ABOUT, "elements": [{"name": "TITLE", "title": "Заказ", "optionFlags": "0"}]}
    card = arranged(stage, renamed)

    line = line_of(installed(stage))

    assert (line.state, line.optional, asked(stage)) == ("failed", True, (1, 0))
    assert "Подписанный договор, Дата монтажа, Монтажник, Адрес монтажа, Бухгалтерские документы" in line.problem
    assert layout(stage, card) == [renamed]
    put = [{"name": wanted.code} for part in parts(stage.shop.workshop, portal(stage)) for wanted in part.fields]
    stage.portal.crm.layouts.set(card, [renamed, {**MORE, "elements": put}])
    assert line_of(installed(stage)).state == "had"
    before = asked(stage)
    installed(stage)
    assert asked(stage) == before


def test_a_portal_that_refuses_is_told_and_everything_else_works(stage: Theatre) -> None:
    card = arranged(stage, ABOUT)
    stage.portal.denied.add((ADMIN, SET))

    line = line_of(installed(stage))

    assert line.state == "failed"
    assert "Access denied" in line.problem
    assert "Подписанный договор" in line.problem
    assert layout(stage, card) == [ABOUT]
    assert portal(stage).works
    stage.portal.denied.clear()
    assert line_of(installed(stage)).state == "added"
    assert own(stage, card)[:4] == REQUIRED


@pytest.mark.parametrize("fault", ["lost_reply", "error500"])
@pytest.mark.parametrize("method", [GET, SET])
def test_a_reply_lost_on_the_way_puts_every_field_there_once(stage: Theatre, fault: str, method: str) -> None:
    card = arranged(stage, ABOUT)
    stage.portal.faults.add(fault, method=method, times=1)

    assert line_of(installed(stage)).state in ("had", "added")

    assert len(layout(stage, card)) == 2
    assert len(own(stage, card)) == len(set(own(stage, card))) == len(stage.shop.workshop.processes[CEILING].fields)


def test_a_portal_that_wants_patience_is_asked_again_later(stage: Theatre) -> None:
    card = arranged(stage, ABOUT)
    stage.portal.faults.add("query_limit", method=SET, times=1)
    with pytest.raises(QueryLimit):
        set_up(stage.shop.workshop, portal(stage), (CEILING,))
    assert layout(stage, card) == [ABOUT]

    stage.shop.clock.turn(seconds=30)
    installed(stage)

    assert own(stage, card)[:4] == REQUIRED


def test_a_field_that_is_made_anew_is_put_there_anew(stage: Theatre) -> None:
    card = arranged(stage, ABOUT)
    installed(stage)
    about, section = layout(stage, card)
    stage.portal.crm.layouts.set(card, [about, {**section, "elements": section["elements"][1:3]}])
    fields = stage.portal.crm.user_fields
    gone = next(uf for uf in fields.fields.values() if uf.name == "UF_CRM_B24APP_CONTRACT_FILE")
    del fields.fields[gone.id]

    installed(stage)

    assert own(stage, card) == ["INSTALL_DATE", "INSTALLER", "CONTRACT_FILE"]


def test_simple_and_repeated_leads_and_smart_processes_have_their_layouts_filled(stage: Theatre) -> None:
    workshop = stage.shop.workshop
    note = FieldDef("note", "text", T("Заметка", "Note"))
    lead = replace(workshop.processes["lead_to_ceiling_deal"], fields={"note": note})
    stage.shop.workshop = replace(workshop, processes={**workshop.processes, lead.code: lead})
    stage.portal.crm.layouts.set((1, 1), deepcopy([ABOUT]))
    stage.portal.crm.layouts.set((1, 2), deepcopy([MORE]))
    admin = stage.portal.as_user(ADMIN)
    title = workshop.processes["analysis_and_corrections"].smart
    assert title is not None
    assert title.title is not None
    flags = {"isStagesEnabled": "Y", "isCategoriesEnabled": "Y"}
    made = admin.call("crm.type.add", fields={"title": title.title.ru, **flags})["type"]
    category = stage.portal.crm.stages.default_category(made["entityTypeId"])
    corrections = (int(made["entityTypeId"]), category)
    stage.portal.crm.layouts.set(corrections, deepcopy([ABOUT]))

    report = installed(stage, lead.code, "analysis_and_corrections")

    assert {line.state for line in report.lines if line.kind == "card"} == {"added"}
    for card in ((1, 1), (1, 2)):
        assert layout(stage, card)[1]["elements"] == [{"name": "UF_CRM_B24APP_NOTE", "optionFlags": "0"}]
    with stage.shop.workshop.database.read() as connection:
        tie = next(tie for tie in processes.ties(connection, 1) if tie.code == "analysis_and_corrections")
    assert (tie.entity_type_id, tie.category_id) == corrections
    assert [one["name"] for one in layout(stage, corrections)[1]["elements"]] == list(tie.fields.values())
