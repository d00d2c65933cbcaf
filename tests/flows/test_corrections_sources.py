"""S3-10: whatever comes to an end is looked at, a lead and an item of a smart process as well as a deal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from b24app.core.item import ItemRef
from tests.flows.corrections import CLEAN, CODE, CORRECT, FOUND, OFFICER, Loop
from tests.flows.kinds import FILES, Items
from tests.flows.stage import MARIA, a_stage

ANALYSE = "Провести анализ"


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Loop]:
    """The loop beside a smart process of the company's own."""
    shutil.copytree(FILES.parent / "sources", tmp_path / "files")
    shutil.copy(Path("processes") / f"{CODE}.yaml", tmp_path / "files")
    with a_stage(tmp_path, files=tmp_path / "files") as stage:
        stage.install()
        stage.settle()
        yield Loop(stage)
        assert stage.world.complaints == []
        assert stage.troubles() == []


def refers(comments: list[str], item: ItemRef) -> bool:
    kind = {1: "lead", 2: "deal"}.get(item.entity_type_id) or f"type/{item.entity_type_id}"
    return any(f"/crm/{kind}/details/{item.id}/" in comment for comment in comments)


def test_a_junk_lead_is_summed_up_and_analysed_by_a_checklist_of_its_own(loop: Loop) -> None:
    """S3-18 too."""
    leads = Items(loop.stage, "lead_to_ceiling_deal")
    lead = leads.add("Кухня 12 м²")
    leads.move(lead, "JUNK")
    assert leads.tasks(lead, MARIA) == ["Подвести итоги работы: Кухня 12 м²"]
    loop.fill(lead, MARIA, {"reason": "unreachable", "attempts": "3", "in_time": "no"})
    (correction,) = loop.corrections()
    assert leads.tasks(lead) == []
    assert loop.field(correction, "parentId1") == lead.id
    assert loop.field(correction, "source_pipeline") == "Из лида в сделку по монтажу потолков"
    assert refers(loop.items.comments(correction), lead)
    assert refers(leads.comments(lead), correction)
    assert loop.lines(correction, ANALYSE)[0] == "Прослушать звонки по лиду"


def test_an_item_of_a_smart_process_goes_the_same_way_to_the_end(claims: Loop) -> None:
    items = Items(claims.stage, "claim")
    claim = items.add("Скол на багете")
    items.move(claim, "rejected")
    assert items.tasks(claim, MARIA) == ["Подвести итоги работы: Скол на багете"]

    claims.fill(claim, MARIA, {"in_time": "no", "why": "Ждали фотографии"})
    (correction,) = claims.corrections()
    assert correction.entity_type_id != claim.entity_type_id
    assert items.tasks(claim) == []
    assert claims.items.on(correction) == "analysis"
    assert claims.field(correction, "assignedById") == OFFICER
    told = {name: claims.field(correction, name) for name in ("source_pipeline", "source_stage", "source_process")}
    assert told == {"source_pipeline": "Рекламации", "source_stage": "Отклонена", "source_process": "claim"}
    assert refers([claims.field(correction, "source_link")], claim)
    assert refers(claims.items.comments(correction), claim)
    assert refers(items.comments(claim), correction)
    assert "Ждали фотографии" in claims.field(correction, "summary")
    assert claims.lines(correction, ANALYSE)[0] == "Сверить фотографии с договором"

    claims.tick(correction, ANALYSE, OFFICER)
    claims.fill(correction, OFFICER, CLEAN)
    claims.items.move(correction, "measures")
    claims.fill(correction, OFFICER, CORRECT)
    claims.items.move(correction, "done")
    assert claims.items.on(correction) == "done"
    assert claims.points(correction) == {MARIA: 10}
    assert "завершён: результат корректный" in items.comments(claim)[-1]


def test_a_correction_opened_by_hand_goes_the_same_way_under_its_own_title(loop: Loop) -> None:
    correction = loop.items.add("Жалоба по телефону", by=OFFICER)
    assert loop.items.tasks(correction) == ["Провести анализ: Жалоба по телефону"]
    loop.analyse(correction, FOUND)
    loop.put_to_the_vote(correction)
    assert set(loop.items.tasks(correction)) == {"Согласовать меры: Жалоба по телефону"}
