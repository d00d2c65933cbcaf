"""Tying processes to pipelines of the pretend portal: found, created, chosen by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from b24app.bitrix.errors import Transient
from b24app.core.process import FieldDef, PipelineDef, ProcessDef, SmartType, StageDef, versioned
from b24app.core.text import T
from b24app.engine.setup.pipeline_shape import LONGEST_STAGE, stage_code
from b24app.engine.setup.pipelines import CannotTie, create, map_existing, offer
from b24app.store import processes, queue
from b24app.store.portals import Portal
from b24app.store.processes import Tie
from tests.world import ADMIN, Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, processes=True) as made:
        made.open()
        yield made
        assert made.world.complaints == []


def portal(stage: Theatre) -> Portal:
    return stage.shop.workshop.portal(1)


def ceiling(stage: Theatre) -> ProcessDef:
    return stage.shop.workshop.processes["ceiling_installation"]


def stored(stage: Theatre) -> list[Tie]:
    with stage.shop.workshop.database.read() as connection:
        return processes.ties(connection, 1)


def cursor(stage: Theatre, name: str) -> int | None:
    with stage.shop.workshop.database.read() as connection:
        return queue.cursor(connection, 1, name)


def small(**changed: object) -> ProcessDef:
    process = ProcessDef(
        code="windows",
        title=T("Окна", "Windows"),
        item="deal",
        pipeline=PipelineDef(name=T("Окна", "Windows")),
        fields={"visit": FieldDef("visit", "date", T("Дата визита", "Visit date"))},
        stages=(
            StageDef("measured", T("Замер", "Measuring")),
            StageDef("ordered", T("Заказ", "Order"), aliases=("Заказано",)),
            StageDef("done", T("Готово", "Done"), semantics="success"),
            StageDef("lost", T("Отказ", "Lost"), semantics="failure"),
        ),
    )
    return versioned(replace(process, **changed))  # type: ignore[arg-type]


def test_a_new_pipeline_has_exactly_the_stages_of_the_process_in_their_order(stage: Theatre) -> None:
    process = ceiling(stage)
    tie = create(stage.shop.workshop, portal(stage), process)

    stages = stage.portal.crm.stages.stages(2, tie.category_id)
    assert [s.name for s in stages] == [s.name.ru for s in process.stages]
    assert [s.status_id for s in stages] == [tie.stages[s.key] for s in process.stages]
    semantics = {"process": "", "success": "S", "failure": "F"}
    assert [s.semantics for s in stages] == [semantics[s.semantics] for s in process.stages]
    assert stored(stage) == [tie]
    assert (tie.training, tie.enabled, tie.version) == (True, True, process.version)


def test_the_fields_of_the_process_are_created_with_labels_in_both_languages(stage: Theatre) -> None:
    process = ceiling(stage)
    tie = create(stage.shop.workshop, portal(stage), process)
    known = {uf.name: uf for uf in stage.portal.crm.user_fields.of("CRM_DEAL")}
    assert set(tie.fields) == set(process.fields)
    for name, code in tie.fields.items():
        assert code == f"UF_CRM_B24APP_{name.upper()}"
        assert known[code].label == {"ru": process.fields[name].label.ru, "en": process.fields[name].label.en}
    assert known["UF_CRM_B24APP_INSTALLER"].type == "employee"
    assert known["UF_CRM_B24APP_DOCUMENTS"].multiple


def test_creating_again_creates_nothing(stage: Theatre) -> None:
    first = create(stage.shop.workshop, portal(stage), ceiling(stage))
    pipelines = len(stage.portal.crm.stages.of_type(2))
    fields = len(stage.portal.crm.user_fields.fields)
    assert create(stage.shop.workshop, portal(stage), ceiling(stage)) == first
    assert len(stage.portal.crm.stages.of_type(2)) == pipelines
    assert len(stage.portal.crm.user_fields.fields) == fields


@pytest.mark.parametrize("after", range(6))
def test_a_creation_that_was_cut_off_anywhere_is_finished_by_the_next(stage: Theatre, after: int) -> None:
    stage.portal.faults.add("lost_reply", after=after, times=1)
    try:
        create(stage.shop.workshop, portal(stage), ceiling(stage))
    except (Transient, CannotTie):
        stage.portal.faults.clear()
        create(stage.shop.workshop, portal(stage), ceiling(stage))
    (tie,) = stored(stage)
    named = [c for c in stage.portal.crm.stages.of_type(2) if c.name == "Монтаж потолков"]
    assert [c.id for c in named] == [tie.category_id]
    names = [s.name for s in stage.portal.crm.stages.stages(2, tie.category_id)]
    wanted = [s.name.ru for s in ceiling(stage).stages]
    assert [name for name in names if name in wanted] == wanted


def test_the_past_of_a_portal_is_not_processed(stage: Theatre) -> None:
    user = stage.portal.as_user(ADMIN)
    for number in range(3):
        user.call("crm.item.add", entityTypeId=2, fields={"title": f"Старая {number}"})
    newest = max(row["ID"] for row in stage.portal.crm.history.rows[2])
    create(stage.shop.workshop, portal(stage), ceiling(stage))
    assert cursor(stage, "history:2") == cursor(stage, "history:2:start") == newest


def test_a_second_process_of_deals_does_not_turn_the_cursor(stage: Theatre) -> None:
    create(stage.shop.workshop, portal(stage), ceiling(stage))
    stage.portal.as_user(ADMIN).call("crm.item.add", entityTypeId=2, fields={"title": "Новая"})
    before = cursor(stage, "history:2")
    create(stage.shop.workshop, portal(stage), small())
    assert cursor(stage, "history:2") == before


def test_leads_keep_their_own_stages(stage: Theatre) -> None:
    before = [(s.status_id, s.name) for s in stage.portal.crm.stages.of("STATUS")]
    tie = create(stage.shop.workshop, portal(stage), stage.shop.workshop.processes["lead_to_ceiling_deal"])
    assert [(s.status_id, s.name) for s in stage.portal.crm.stages.of("STATUS")] == before
    assert (tie.entity_type_id, tie.category_id) == (1, 0)
    assert tie.stages["CONVERTED"] == "CONVERTED"


def test_a_pipeline_of_others_is_completed_and_nothing_of_it_is_renamed_or_removed(stage: Theatre) -> None:
    user = stage.portal.as_user(ADMIN)
    theirs = user.call("crm.category.add", entityTypeId=2, fields={"name": "окна"})["category"]["id"]
    before = {s.status_id: s.name for s in stage.portal.crm.stages.stages(2, theirs)}

    tie = create(stage.shop.workshop, portal(stage), small())

    after = {s.status_id: s.name for s in stage.portal.crm.stages.stages(2, theirs)}
    assert tie.category_id == theirs
    assert before.items() <= after.items()
    assert set(after) - set(before) == {f"C{theirs}:MEASURED", f"C{theirs}:ORDERED"}
    assert tie.stages["done"] == f"C{theirs}:WON"
    assert tie.stages["lost"] == f"C{theirs}:LOSE"


def test_stages_and_fields_are_recognised_by_alias_and_by_label(stage: Theatre) -> None:
    user = stage.portal.as_user(ADMIN)
    theirs = user.call("crm.category.add", entityTypeId=2, fields={"name": "Windows"})["category"]["id"]
    row = user.call("crm.status.list", filter={"ENTITY_ID": f"DEAL_STAGE_{theirs}"})[1]
    user.call("crm.status.update", id=row["ID"], fields={"NAME": "«Заказано»"})
    field = {
        "entityId": "CRM_DEAL",
        "fieldName": "UF_CRM_WHEN",
        "userTypeId": "date",
        "editFormLabel": {"ru": "дата визита"},
    }
    user.call("userfieldconfig.add", moduleId="crm", field=field)

    proposal = offer(stage.shop.workshop, portal(stage), small())

    assert proposal.stages["ordered"] == row["STATUS_ID"]
    assert proposal.fields == {"visit": "UF_CRM_WHEN"}
    assert proposal.missing_stages == ("measured",)
    assert proposal.missing_fields == ()
    assert stored(stage) == []


def test_a_smart_process_is_created_with_its_pipeline(stage: Theatre) -> None:
    process = small(code="service", item="smart", smart=SmartType(title=T("Сервис", "Service")))
    tie = create(stage.shop.workshop, portal(stage), process)
    card = stage.portal.crm.types[tie.entity_type_id]
    assert (card.title, card.flag("isStagesEnabled"), card.flag("isAutomationEnabled")) == ("Сервис", True, True)
    assert tie.fields["visit"] == f"UF_CRM_{card.id}_VISIT"
    assert all(value.startswith(f"DT{tie.entity_type_id}_{tie.category_id}:") for value in tie.stages.values())
    assert create(stage.shop.workshop, portal(stage), process) == tie


def test_a_pipeline_named_by_a_number_the_portal_does_not_have_is_told(stage: Theatre) -> None:
    with pytest.raises(CannotTie, match="pipeline 99"):
        create(stage.shop.workshop, portal(stage), small(pipeline=PipelineDef(id=99)))
    assert stored(stage) == []


def test_a_refusal_of_the_portal_is_told_in_its_words(stage: Theatre) -> None:
    stage.portal.denied.add((ADMIN, "crm.category.add"))
    with pytest.raises(CannotTie):
        create(stage.shop.workshop, portal(stage), small())


def test_a_new_version_of_a_process_adds_what_it_brought(stage: Theatre) -> None:
    create(stage.shop.workshop, portal(stage), small())
    older = small()
    newer = small(stages=(*older.stages[:2], StageDef("mounted", T("Установка", "Mounting")), *older.stages[2:]))
    tie = create(stage.shop.workshop, portal(stage), newer)
    names = [s.name for s in stage.portal.crm.stages.stages(2, tie.category_id)]
    assert names == ["Замер", "Заказ", "Установка", "Готово", "Отказ"]
    assert tie.version == newer.version


def test_an_administrator_may_choose_everything_by_id(stage: Theatre) -> None:
    chosen = {"measured": "NEW", "ordered": "EXECUTING", "done": "WON", "lost": "LOSE"}
    tie = map_existing(stage.shop.workshop, portal(stage), small(), 0, chosen, {})
    assert stored(stage) == [tie]
    assert (tie.category_id, tie.stages) == (0, chosen)


@pytest.mark.parametrize(
    ("category", "stages", "fields"),
    [
        (42, {"measured": "NEW", "ordered": "EXECUTING", "done": "WON", "lost": "LOSE"}, {}),
        (0, {"measured": "NEW", "ordered": "NOWHERE", "done": "WON", "lost": "LOSE"}, {}),
        (0, {"measured": "NEW", "ordered": "NEW", "done": "WON", "lost": "LOSE"}, {}),
        (0, {"measured": "NEW", "done": "WON", "lost": "LOSE"}, {}),
        (0, {"measured": "NEW", "ordered": "EXECUTING", "done": "WON", "lost": "LOSE"}, {"visit": "UF_CRM_NOTHING"}),
    ],
)
def test_a_choice_the_portal_does_not_have_is_refused(
    stage: Theatre, category: int, stages: dict[str, str], fields: dict[str, str]
) -> None:
    with pytest.raises(CannotTie):
        map_existing(stage.shop.workshop, portal(stage), small(), category, stages, fields)
    assert stored(stage) == []


def test_codes_of_stages_stay_short_and_apart() -> None:
    keys = ["contract", "installation_date_agreed", "installation_date_missed", "installation_done", "замер"]
    codes = [stage_code(key) for key in keys]
    assert len(set(codes)) == len(codes)
    assert all(0 < len(code) <= LONGEST_STAGE for code in codes)
