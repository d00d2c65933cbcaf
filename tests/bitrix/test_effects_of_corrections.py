"""News, tasks on boards, and items called by the names of process files: what is sent, and how it is found again."""

from __future__ import annotations

from b24app.bitrix.effects import Setting, effect_of
from b24app.bitrix.errors import LostReply
from b24app.bitrix.reading.fields import FieldBook
from b24app.bitrix.replies import Reply
from b24app.core.actions import AddItem, AddNews, AddTask
from tests.builders import DEAL_12, MANAGER, NOW

MARK = "0123456789ab"
BOOK = FieldBook(names={(1030, 5): {"source": "UF_CRM_7_SOURCE"}})
SETTING = Setting(BOOK, admin=1, lang="ru", now=NOW, pipelines={"analysis_and_corrections": 5})
NEWS = AddNews(DEAL_12, "Новый порядок", "Что меняется", ("DR2", "UA"), important=True)


def test_news_go_to_their_readers_and_end_with_the_mark() -> None:
    effect = effect_of(NEWS, MARK, SETTING)
    (command,) = effect.send({})
    assert command.method == "log.blogpost.add"
    assert command.params["DEST"] == ["DR2", "UA"]
    assert command.params["IMPORTANT"] == "Y"
    assert str(command.params["POST_MESSAGE"]).endswith(f"Запись журнала {MARK}")
    done = effect.sent({}, [Reply(217)])
    assert done.progress == {"post_id": 217}
    assert (effect.send(done.progress), effect.look(done.progress)) == ((), ())


def test_news_whose_reply_was_lost_are_found_by_their_mark() -> None:
    effect = effect_of(NEWS, MARK, SETTING)
    (command,) = effect.look({})
    assert command.method == "log.blogpost.get"
    rows = [{"ID": "8", "DETAIL_TEXT": "Другое"}, {"ID": "7", "DETAIL_TEXT": f"… {MARK}"}]
    assert effect.found({}, [Reply(rows)]).progress == {"post_id": 7}
    assert effect.found({}, [Reply([])]).progress == {}


def test_a_failure_to_post_is_told() -> None:
    error = LostReply("", "", method="log.blogpost.add")
    assert effect_of(NEWS, MARK, SETTING).sent({}, [error]).error is error
    assert effect_of(NEWS, MARK, SETTING).found({}, [error]).error is error


def test_a_task_lies_in_its_project_and_column_and_wants_a_result() -> None:
    task = AddTask(DEAL_12, "change", "Изменить", MANAGER, group=4, stage=31, require_result=True)
    (command,) = effect_of(task, MARK, SETTING).send({})
    fields = command.params["fields"]
    assert (fields["GROUP_ID"], fields["STAGE_ID"]) == (4, 31)
    assert fields["SE_PARAMETER"] == [{"CODE": 3, "VALUE": "Y"}]


def test_a_task_outside_of_projects_names_none() -> None:
    (command,) = effect_of(AddTask(DEAL_12, "call", "Позвонить", MANAGER), MARK, SETTING).send({})
    assert not {"GROUP_ID", "STAGE_ID", "SE_PARAMETER"} & set(command.params["fields"])


def test_fields_of_a_new_item_may_be_called_as_in_the_process_file() -> None:
    item = AddItem(
        1030, {"title": "Анализ", "source": "D_12", "parentId2": 12, "pipeline": "analysis_and_corrections"}, DEAL_12
    )
    (command,) = effect_of(item, MARK, SETTING).send({})
    wanted = {"title": "Анализ", "UF_CRM_7_SOURCE": "D_12", "parentId2": 12, "categoryId": 5, "xmlId": MARK}
    assert command.params["fields"] == wanted
