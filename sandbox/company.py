"""A small company that sells and installs stretch ceilings, as its portal looks on the first day."""

from __future__ import annotations

from sandbox.crm.schema import DEAL, LEAD
from sandbox.people import User
from sandbox.portal import Portal

SOURCES = (("CALL", "Звонок"), ("WEB", "Веб-сайт"), ("ADVERTISING", "Реклама"), ("RECOMMENDATION", "По рекомендации"))
DEAL_TYPES = (("SALE", "Продажа"), ("COMPLEX", "Комплексная продажа"), ("SERVICE", "Сервисное обслуживание"))


def fresh_crm(portal: Portal) -> None:
    """Give a portal the pipelines and dictionaries it is delivered with."""
    stages = portal.crm.stages
    stages.fill(LEAD, 0)
    stages.add_category(DEAL, "Общая", 100, is_default=True)
    for entity_id, rows in (("SOURCE", SOURCES), ("DEAL_TYPE", DEAL_TYPES)):
        for number, (code, name) in enumerate(rows, start=1):
            stages.add(entity_id, code, name, number * 10)


def demo_company(portal: Portal) -> Portal:
    """Fill a portal with the demo company and give it back."""
    fresh_crm(portal)
    people = portal.people
    company = people.add_department("Компания")
    sales = people.add_department("Отдел продаж", company.id)
    crew = people.add_department("Монтажный отдел", company.id)
    books = people.add_department("Бухгалтерия", company.id)
    admin = people.add("Техническая", "Запись", position="Администратор портала", admin=True, departments=[company.id])
    head = people.add("Ольга", "Смирнова", position="Руководитель ОП", departments=[sales.id])
    people.add("Мария", "Кузнецова", position="Менеджер", departments=[sales.id])
    people.add("Иван", "Петров", position="Менеджер", departments=[sales.id])
    foreman = people.add("Сергей", "Волков", position="Начальник монтажного отдела", departments=[crew.id])
    people.add("Алексей", "Морозов", position="Монтажник", departments=[crew.id])
    people.add("Дмитрий", "Лебедев", position="Монтажник", departments=[crew.id])
    people.add("Николай", "Соколов", position="Монтажник", departments=[crew.id])
    people.add("Елена", "Новикова", position="Бухгалтер", departments=[books.id])
    company.head, sales.head, crew.head = admin.id, head.id, foreman.id
    for user in people.users.values():
        _reachable(user)
    _clients(portal)
    return portal


def _clients(portal: Portal) -> None:
    crm = portal.crm
    crm.add_contact("Анна", "Фёдорова", "+79161234501")
    crm.add_contact("Пётр", "Захаров", "8 (916) 123-45-02")
    crm.add_contact("Ирина", "Белова", "+7 916 123-45-03")
    crm.add_company("ООО «Светлый дом»")


def quality_department(portal: Portal) -> Portal:
    """Add those who look into finished work and carry changes out to the demo company, and give it back."""
    people = portal.people
    company = people.departments[min(people.departments)]
    quality = people.add_department("Отдел качества", company.id)
    computers = people.add_department("Отдел IT", company.id)
    head = people.add("Вера", "Орлова", position="Руководитель отдела качества", departments=[quality.id])
    people.add("Павел", "Ершов", position="Сотрудник отдела качества", departments=[quality.id])
    engineer = people.add("Кирилл", "Зуев", position="Руководитель IT", departments=[computers.id])
    people.add("Лидия", "Громова", position="Методолог", departments=[quality.id])
    quality.head, computers.head = head.id, engineer.id
    for user in people.users.values():
        _reachable(user)
    return portal


def _reachable(user: User) -> None:
    user.email = f"user{user.id}@example.com"
    user.mobile = f"+7900000{user.id:04d}"
    user.time_zone = "Europe/Moscow"
