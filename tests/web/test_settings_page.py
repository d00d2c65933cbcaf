from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from html import unescape
from typing import Any

import pytest
import responses
from flask.testing import FlaskClient

from b24app.core.actions import AddTask
from b24app.core.named_roles import NamedRole
from b24app.core.portal import Gateway
from b24app.core.process import versioned
from b24app.core.text import T
from b24app.engine.known import names_of
from b24app.engine.workshop import Workshop
from b24app.store import given_tasks, processes, queue, training
from b24app.store import tables as t
from b24app.store.portals import Portal
from b24app.store.processes import Pinned
from b24app.web import process_pages, settings_page, shown
from tests.builders import DIRECTOR, GONE, HEAD, INSTALLER, MANAGER
from tests.seeded import (
    DEAL_12,
    FIELD_CODES,
    PROCESS,
    STAGE_IDS,
    House,
    Refusal,
    a_portal,
    a_run,
    an_action,
    an_opening,
    portal_answers,
    profile,
)
from tests.web.pages import a_client, press, token_of, words

EVIL = "<script>alert(1)</script>"
COMPANY = {
    "lang": "en",
    "zone": "Asia/Yekaterinburg",
    "day_starts": "08:30",
    "day_ends": "17:30",
    "weekend": ["6"],
    "country": "ru",
    "holidays": "31.12.2026, 2027-01-08",
    "working_weekends": "07.11.2026",
}
GATEWAY = {
    "url": "https://sms.example.com/send",
    "method": "POST",
    "fields": "login=firm\npsw=top-secret-1\nphones={phone}\nmes={text}",
    "headers": "",
    "ok": "OK",
    "failed": "ERROR",
    "status_url": "",
    "status_ok": "",
}


@pytest.fixture
def client(house: House) -> FlaskClient:
    return a_client(house.workshop, [settings_page.pages, process_pages.pages])


def now(house: House, portal: Portal) -> Portal:
    return house.workshop.portal(portal.id)


def boss(house: House, portal: Portal) -> str:
    return token_of(house, portal, DIRECTOR, admin=True, item=None)


def field_value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page) or re.search(
        rf'name="{name}"[^>]*>([^<]*)</textarea>', page
    )
    assert found is not None, name
    return unescape(found.group(1))


# Who may come in -------------------------------------------------------------------------------------------------------

FORMS = (
    "company",
    "people",
    "training",
    "key",
    "gateway",
    "gateway/preset",
    "gateway/test",
    "process/ceilings/create",
    "process/ceilings/choose",
    "process/ceilings/tie",
    "process/ceilings/switch",
    "process/ceilings/migrate",
)


@pytest.mark.parametrize("form", FORMS)
def test_only_an_administrator_settles_anything(house: House, portal: Portal, client: FlaskClient, form: str) -> None:
    employee = token_of(house, portal, MANAGER, item=None)

    for token in ("", "x", employee):
        assert press(client, f"/b24/app/{form}", token, **COMPANY).status_code == 403

    assert now(house, portal).settings == portal.settings
    assert house.count(t.audit) == 0


def test_one_portals_administrator_settles_his_own_portal_only(house: House, portal: Portal, client: FlaskClient) -> None:
    other = a_portal(house, "lilia", "lilia.bitrix24.test")

    press(client, "/b24/app/company", boss(house, other), **COMPANY, portal=str(portal.id), member_id="romashka")

    assert now(house, portal).settings.zone == "Europe/Moscow"
    assert now(house, other).settings.zone == "Asia/Yekaterinburg"


def test_the_opener_decides_which_main_page_is_shown(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers({"profile": profile}):
        admin = client.post("/b24/app", **an_opening(portal, DIRECTOR, placement="DEFAULT"))
        employee = client.post("/b24/app", **an_opening(portal, MANAGER, placement="DEFAULT"))

    assert "Настройки процессов" in words(admin)
    assert "Мои задачи по процессам" in words(employee)
    assert "Настройки процессов" not in words(employee)


def test_an_employee_sees_his_own_open_tasks(house: House, portal: Portal, client: FlaskClient) -> None:
    token = token_of(house, portal, MANAGER, item=None)
    assert "Открытых задач от процессов у вас нет" in words(press(client, "/b24/app/show", token))
    for user, title in ((MANAGER, f"Договор {EVIL}"), (HEAD, "Чужая задача")):
        task = AddTask(DEAL_12, title, title, user, deadline=house.at[0] - timedelta(hours=1))
        number = an_action(house, portal, a_run(house, portal, key=title), task)
        with house.database.write() as connection:
            given_tasks.add(connection, portal.id, number, f"{number:012x}", task, "contract", None, house.at[0])

    answer = press(client, "/b24/app/show", token)

    assert f"Договор {EVIL} просрочена 10.06.2026 11:00" in words(answer).replace(" ·", "")
    assert "Чужая" not in words(answer)
    assert b"<script>alert" not in answer.data
    assert b"https://romashka.bitrix24.test/crm/deal/details/12/" in answer.data


# Company ---------------------------------------------------------------------------------------------------------------


def test_language_zone_and_working_time_are_saved_and_audited(house: House, portal: Portal, client: FlaskClient) -> None:
    page = words(press(client, "/b24/app/company", boss(house, portal), **COMPANY))

    assert "Сохранено." in page
    saved = now(house, portal).settings
    assert (saved.lang, saved.zone, saved.country, saved.public_holidays) == ("en", "Asia/Yekaterinburg", "RU", False)
    assert (saved.day_starts, saved.day_ends, saved.weekend) == (time(8, 30), time(17, 30), (6,))
    assert saved.holidays == (date(2026, 12, 31), date(2027, 1, 8))
    assert saved.working_weekends == (date(2026, 11, 7),)
    assert saved.crew_users == (INSTALLER,)
    assert [(row["who"], row["what"]) for row in house.rows(t.audit)] == [(f"Сотрудник {DIRECTOR}", "settings")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone": "Europe/Nowhere"}, "Такого часового пояса нет"),
        ({"zone": "../../etc/passwd"}, "Такого часового пояса нет"),
        ({"day_ends": "08:00"}, "должен кончаться позже"),
        ({"day_starts": "soon"}, "Нужно время"),
        ({"weekend": list("0123456")}, "Хотя бы один день"),
        ({"holidays": "31.12.2026 завтра"}, "Не удалось прочесть дату «завтра»"),
        ({"lang": "de"}, "Не сохранено"),
        ({"country": "Россия"}, "Две латинские буквы"),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_saved(
    house: House, portal: Portal, client: FlaskClient, changes: Mapping[str, Any], said: str
) -> None:
    answer = press(client, "/b24/app/company", boss(house, portal), **{**COMPANY, **changes})

    assert answer.status_code == 422
    answer.status_code = 200
    assert said in words(answer)
    assert now(house, portal).settings == portal.settings


def test_what_was_written_stays_in_the_fields_after_a_mistake(house: House, portal: Portal, client: FlaskClient) -> None:
    answer = press(
        client, "/b24/app/company", boss(house, portal), **{**COMPANY, "holidays": f"завтра {EVIL}", "day_starts": "10:15"}
    )
    page = answer.get_data(as_text=True)

    assert field_value(page, "holidays") == f"завтра {EVIL}"
    assert field_value(page, "day_starts") == "10:15"
    assert "<option selected>Asia/Yekaterinburg</option>" in page
    assert "<script>alert" not in page


# People and training -----------------------------------------------------------------------------------------------------


def test_a_role_that_is_told_by_another_is_told_by_its_title(house: House, portal: Portal) -> None:
    with house.database.read() as connection:
        names = names_of(connection, house.workshop, portal)
    officer = NamedRole("quality_officer", T("Сотрудник ОКК", "Quality officer"), "")
    assert shown.role(names, "head_of(quality_officer)", [officer]).ru == "руководитель (Сотрудник ОКК)"


def test_crew_and_stand_ins_are_chosen_by_name(house: House, portal: Portal, client: FlaskClient) -> None:
    shown = words(press(client, "/b24/app/show", boss(house, portal)))
    assert "Иван Мастеров" in shown
    assert "Яков Уволенов" not in shown
    assert "head_of_sales: кто замещает" in shown
    assert "по процессу — руководитель (ответственный)" in shown

    form = {"crew_users": [str(INSTALLER), str(MANAGER)], "crew_departments": ["3"], "stand_in:manager": str(HEAD)}
    press(client, "/b24/app/people", boss(house, portal), **form, fallback=str(HEAD))

    saved = now(house, portal).settings
    assert (saved.crew_users, saved.crew_departments) == ((MANAGER, INSTALLER), (3,))
    assert (saved.fallback, saved.stand_ins) == (HEAD, {"manager": HEAD})


def test_an_open_role_is_complained_of_until_somebody_is_named(house: House, portal: Portal) -> None:
    titles = {"officer": T("Сотрудник отдела качества", "Quality officer")}
    meant = replace(PROCESS, roles={**PROCESS.roles, "officer": ""}, role_titles=titles)
    untied = replace(meant, code="untied", roles={"stranger": ""}, role_titles={"stranger": T("Чужой", "Stranger")})
    workshop = replace(house.workshop, processes={PROCESS.code: meant, "untied": untied})
    client = a_client(workshop, [settings_page.pages, process_pages.pages])

    lacking = words(press(client, "/b24/app/show", boss(house, portal)))
    assert "Никто не назначен: Сотрудник отдела качества. " in lacking
    assert lacking.count("Сотрудник отдела качества: кто это") == 1
    assert "Чужой" not in lacking

    named = words(press(client, "/b24/app/people", boss(house, portal), **{"stand_in:officer": str(HEAD)}))
    assert "Никто не назначен" not in named
    assert now(house, portal).settings.stand_ins == {"officer": HEAD}


@pytest.mark.parametrize(
    "form", [{"fallback": str(GONE)}, {"fallback": "999"}, {"crew_users": "x"}, {"crew_departments": "99"}]
)
def test_nobody_unknown_or_dismissed_is_chosen(
    house: House, portal: Portal, client: FlaskClient, form: Mapping[str, str]
) -> None:
    assert press(client, "/b24/app/people", boss(house, portal), **form).status_code == 422
    assert now(house, portal).settings == portal.settings


def test_training_is_switched_for_all_for_a_process_and_for_a_person(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    press(client, "/b24/app/training", boss(house, portal), learned=[str(MANAGER), "999"])

    assert not now(house, portal).settings.training
    with house.database.read() as connection:
        assert training.learned_users(connection, portal.id) == {MANAGER}
        assert [tie.training for tie in processes.ties(connection, portal.id)] == [False]

    press(client, "/b24/app/training", boss(house, portal), training="yes", process="ceilings")

    assert now(house, portal).settings.training
    with house.database.read() as connection:
        assert training.learned_users(connection, portal.id) == set()
        assert [tie.training for tie in processes.ties(connection, portal.id)] == [True]


# SMS and payments --------------------------------------------------------------------------------------------------------


def test_the_gateway_is_saved_and_its_password_never_shown(house: House, portal: Portal, client: FlaskClient) -> None:
    page = press(client, "/b24/app/gateway", boss(house, portal), **GATEWAY).get_data(as_text=True)

    assert now(house, portal).secrets.gateway.fields["psw"] == "top-secret-1"
    assert "top-secret-1" not in page
    press(client, "/b24/app/gateway", boss(house, portal), **{**GATEWAY, "fields": field_value(page, "fields"), "ok": "100"})

    saved = now(house, portal).secrets.gateway
    assert (saved.fields["psw"], saved.fields["login"], saved.ok) == ("top-secret-1", "firm", "100")
    assert "top-secret-1" not in str(house.rows(t.audit))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://sms.example.com/"}, "Нужен полный адрес с https"),
        ({"url": "https://127.0.0.1/send"}, "внутреннюю сеть"),
        ({"url": "https://10.0.0.5/"}, "внутреннюю сеть"),
        ({"url": "https://[::1]/"}, "внутреннюю сеть"),
        ({"url": "https://169.254.169.254/latest"}, "внутреннюю сеть"),
        ({"url": "https://localhost/"}, "внутреннюю сеть"),
        ({"url": "https://user@sms.example.com/"}, "Нужен полный адрес"),
        ({"url": "ftp://sms.example.com/"}, "Нужен полный адрес"),
        ({"url": "https://{phone}.example.com/"}, "Нужен полный адрес"),
        ({"status_url": "https://192.168.1.1/"}, "внутреннюю сеть"),
        ({"fields": "login"}, "без знака «=»"),
        ({"fields": "to={phone}"}, "не содержат"),
        ({"method": "DELETE"}, "Не сохранено"),
    ],
)
def test_a_gateway_that_cannot_be_is_refused_with_the_reason(
    house: House, portal: Portal, client: FlaskClient, changes: Mapping[str, str], said: str
) -> None:
    answer = press(client, "/b24/app/gateway", boss(house, portal), **{**GATEWAY, **changes})

    assert answer.status_code == 422
    answer.status_code = 200
    assert said in words(answer)
    assert now(house, portal).secrets.gateway == Gateway()


def test_a_preset_fills_the_form_and_saves_nothing(house: House, portal: Portal, client: FlaskClient) -> None:
    page = press(client, "/b24/app/gateway/preset", boss(house, portal), preset="smsc").get_data(as_text=True)

    assert field_value(page, "url") == "https://smsc.ru/sys/send.php"
    assert "phones={phone}" in field_value(page, "fields")
    assert now(house, portal).secrets.gateway == Gateway()


def test_a_test_message_tells_what_the_gateway_said(house: House, portal: Portal, client: FlaskClient) -> None:
    token = boss(house, portal)
    assert "Сначала сохраните адрес" in words(press(client, "/b24/app/gateway/test", token, phone="+79990001122"))
    press(client, "/b24/app/gateway", token, **GATEWAY)
    assert "Укажите номер" in words(press(client, "/b24/app/gateway/test", token, phone="мой"))

    with responses.RequestsMock() as mock:
        mock.add(responses.POST, "https://sms.example.com/send", "OK 1")
        sent = words(press(client, "/b24/app/gateway/test", token, phone="+7 (999) 000-11-22"))
        asked = str(mock.calls[0].request.body)

    assert "Шлюз принял сообщение" in sent
    assert "phones=%2B79990001122" in asked


def test_test_messages_come_at_a_bounded_pace(house: House, portal: Portal, client: FlaskClient) -> None:
    token = boss(house, portal)
    pages = [words(press(client, "/b24/app/gateway/test", token, phone="+79990001122")) for _ in range(6)]

    assert "Слишком много" not in pages[4]
    assert "Слишком много" in pages[5]


def test_a_payment_key_is_shown_once(house: House, portal: Portal, client: FlaskClient) -> None:
    assert "Ключа ещё нет" in words(press(client, "/b24/app/show", boss(house, portal)))

    made = press(client, "/b24/app/key", boss(house, portal)).get_data(as_text=True)

    key = now(house, portal).secrets.payment_key
    assert len(key) >= 40
    assert key in made
    later = press(client, "/b24/app/show", boss(house, portal)).get_data(as_text=True)
    assert key not in later
    assert "Ключ создан" in later
    press(client, "/b24/app/key", boss(house, portal))
    assert now(house, portal).secrets.payment_key != key
    assert key not in str(house.rows(t.audit))


# Processes ---------------------------------------------------------------------------------------------------------------


def test_a_lost_portal_says_how_to_reconnect(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_state(connection, portal.id, "reconnect", "auth_lost")

    page = words(press(client, "/b24/app/show", boss(house, portal)))

    assert "нужно переподключить" in page
    assert "под администратором" in page


def test_a_robot_that_works_twice_is_named(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        work = queue.add_work(connection, portal.id, DEAL_12, "call:1", "call", {}, house.at[0])
    a_run(house, portal, robot="training_comment", work_id=work, stage_id=STAGE_IDS["contract"])
    a_run(house, portal, key="other", robot="training_comment", work_id=work, stage_id=STAGE_IDS["won"])

    page = words(press(client, "/b24/app/show", boss(house, portal)))

    assert "на стадии «Заключить договор»: вызван порталом раз: 1" in page
    assert "на стадии «Оплата получена»" not in page


def test_a_process_is_switched_off_and_on(house: House, portal: Portal, client: FlaskClient) -> None:
    for wanted, said in (("no", "выключен"), ("yes", "работает")):
        page = words(press(client, "/b24/app/process/ceilings/switch", boss(house, portal), enabled=wanted))
        assert said in page
        with house.database.read() as connection:
            assert processes.ties(connection, portal.id)[0].enabled == (wanted == "yes")


def test_running_items_move_to_the_current_version_when_asked(house: House, portal: Portal, client: FlaskClient) -> None:
    old = versioned(replace(PROCESS, title=T("Прежний", "The old one")))
    with house.database.write() as connection:
        processes.publish(connection, old, house.at[0])
        processes.pin(connection, portal.id, DEAL_12, Pinned(PROCESS.code, old.version, "C7:NEW", {}))
    assert "На прежней версии идёт элементов: 1" in words(press(client, "/b24/app/show", boss(house, portal)))

    page = words(press(client, "/b24/app/process/ceilings/migrate", boss(house, portal)))

    assert "Переведено элементов: 1" in page
    with house.database.read() as connection:
        kept = processes.pinned(connection, portal.id, DEAL_12)
    assert kept is not None
    assert kept.version == PROCESS.version


def test_a_process_nobody_knows_is_not_found(house: House, portal: Portal, client: FlaskClient) -> None:
    assert press(client, "/b24/app/process/other/switch", boss(house, portal)).status_code == 404


def a_pipeline() -> dict[str, Any]:
    """Answer what ``pipelines.offer`` asks: one pipeline of the process and another with two stages."""
    names = {stage.key: stage.name.ru for stage in PROCESS.stages}
    semantics = {"won": "S", "lost": "F"}
    stages = [
        {
            "ID": str(number),
            "ENTITY_ID": "DEAL_STAGE_7",
            "STATUS_ID": STAGE_IDS[key],
            "NAME": names[key],
            "SORT": str(number * 10),
            "SEMANTICS": semantics.get(key),
        }
        for number, key in enumerate(STAGE_IDS, 1)
    ]
    fields = [
        {
            "id": str(n),
            "fieldName": code,
            "userTypeId": "string",
            "editFormLabel": {"en": f"Field {n}", "ru": f"Поле {n}"},
            "xmlId": "",
        }
        for n, code in enumerate(FIELD_CODES.values(), 1)
    ]
    return {
        "crm.status.list": stages,
        "crm.category.list": {"categories": [{"id": 7, "name": "Монтаж потолков", "isDefault": "N"}]},
        "userfieldconfig.list": {"fields": fields},
        "crm.stagehistory.list": {"items": [{"ID": "900"}]},
        "crm.item.details.configuration.get": None,
    }


def test_existing_stages_are_chosen_by_name_and_tied(house: House, portal: Portal, client: FlaskClient) -> None:
    with portal_answers(a_pipeline()):
        page = press(client, "/b24/app/process/ceilings/choose", boss(house, portal)).get_data(as_text=True)
        assert '<option value="C7:EXECUTING" selected>Дата начала работ согласована</option>' in page
        assert ">Поле 1</option>" in page

        form = {f"stage:{key}": status for key, status in STAGE_IDS.items()}
        form |= {"category": "7", "field:address": FIELD_CODES["address"]}
        answer = press(client, "/b24/app/process/ceilings/tie", boss(house, portal), **form)

    assert "Процесс привязан" in words(answer)
    with house.database.read() as connection:
        (tie,) = processes.ties(connection, portal.id)
    assert (dict(tie.stages), dict(tie.fields)) == (STAGE_IDS, {"address": FIELD_CODES["address"]})
    assert [row["what"] for row in house.rows(t.audit)] == ["tie"]


def test_fields_that_cannot_be_put_into_the_card_are_named_with_the_process(
    house: House, portal: Portal, client: FlaskClient
) -> None:
    renamed = {"name": "TITLE", "title": "Заказ"}
    layout = [{"name": "main", "title": "О сделке", "type": "section", "elements": [renamed]}]
    form = {f"stage:{key}": status for key, status in STAGE_IDS.items()}
    form |= {"category": "7", "field:address": FIELD_CODES["address"]}

    with portal_answers(a_pipeline() | {"crm.item.details.configuration.get": layout}):
        page = words(press(client, "/b24/app/process/ceilings/tie", boss(house, portal), **form))

    assert "Процесс привязан" in page
    assert "оставлен как есть; добавьте поля сами («Выбрать поле» в разделе карточки): Адрес" in page


def test_a_stage_the_portal_does_not_have_cannot_be_tied(house: House, portal: Portal, client: FlaskClient) -> None:
    form = {f"stage:{key}": status for key, status in STAGE_IDS.items()} | {"category": "7", "stage:won": "C7:FOREIGN"}

    with portal_answers(a_pipeline()):
        answer = press(client, "/b24/app/process/ceilings/tie", boss(house, portal), **form)

    assert answer.status_code == 422
    answer.status_code = 200
    assert "C7:FOREIGN" in words(answer)


def test_a_stage_in_work_cannot_be_the_one_a_deal_is_won_on(house: House, portal: Portal, client: FlaskClient) -> None:
    form = {f"stage:{key}": status for key, status in STAGE_IDS.items()} | {"category": "7"}
    first = next(iter(STAGE_IDS))
    form["stage:won"], form[f"stage:{first}"] = form[f"stage:{first}"], form["stage:won"]

    with portal_answers(a_pipeline()):
        answer = press(client, "/b24/app/process/ceilings/tie", boss(house, portal), **form)

    assert answer.status_code == 422
    answer.status_code = 200
    page = answer.get_data(as_text=True)
    assert "стадия того же рода" in page
    assert page.count(f'<option value="{STAGE_IDS["won"]}" selected>') == 1, "what was chosen is kept"


def test_one_stage_of_the_portal_cannot_be_two_of_a_process(house: House, portal: Portal, client: FlaskClient) -> None:
    form = {f"stage:{key}": status for key, status in STAGE_IDS.items()} | {"category": "7"}
    form["stage:won"] = form["stage:lost"]

    with portal_answers(a_pipeline()):
        answer = press(client, "/b24/app/process/ceilings/tie", boss(house, portal), **form)

    assert answer.status_code == 422
    answer.status_code = 200
    assert "не нашлось: своя стадия портала для каждой стадии процесса" in words(answer)


def test_a_portal_that_does_not_answer_is_said_so(house: House, portal: Portal, client: FlaskClient) -> None:
    trouble = dict.fromkeys(a_pipeline(), Refusal("INTERNAL_SERVER_ERROR"))
    with portal_answers(trouble):
        answer = press(client, "/b24/app/process/ceilings/choose", boss(house, portal))

    assert answer.status_code == 422
    answer.status_code = 200
    assert "Портал сейчас не отвечает" in words(answer)


def test_people_are_read_when_they_are_not_known_yet(house: House, portal: Portal, client: FlaskClient) -> None:
    with house.database.write() as connection:
        house.workshop.portals.set_knowledge(connection, portal.id, {})

    with portal_answers(
        {name: Refusal("ACCESS_DENIED") for name in ("user.get", "department.get", "crm.item.fields", "app.info")}
    ):
        page = words(press(client, "/b24/app/show", boss(house, portal)))

    assert "Список сотрудников ещё не прочитан" in page


def test_without_processes_the_page_says_what_can_be_done(house: House, portal: Portal) -> None:
    bare: Workshop = replace(house.workshop, processes={})

    page = words(press(a_client(bare, [settings_page.pages, process_pages.pages]), "/b24/app/show", boss(house, portal)))

    assert "Файлов процессов нет" in page


def test_the_page_needs_no_script_and_every_field_has_a_label(house: House, portal: Portal, client: FlaskClient) -> None:
    page = press(client, "/b24/app/show", boss(house, portal)).get_data(as_text=True)

    assert "onclick" not in page
    assert "style=" not in page
    for name in re.findall(r'<(?:input type="(?:text|url|time|tel)"|select|textarea) id="([^"]+)"', page):
        assert f'for="{name}"' in page, name
    for name in re.findall(r'aria-describedby="([^"]+)"', page):
        assert f'id="{name}"' in page, name


def test_the_settings_speak_english(house: House, portal: Portal, client: FlaskClient) -> None:
    token = token_of(house, portal, DIRECTOR, admin=True, item=None, lang="en")

    assert "Settings of the processes" in words(press(client, "/b24/app/show", token))
