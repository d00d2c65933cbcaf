"""Teach while people work: a comment with explanation, steps, links and video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from b24app.core import wording
from b24app.core.actions import Comment, MarkTrained
from b24app.core.call import AskedByPerson, Call
from b24app.core.needs import Facts, Ledger, Need, NeedItem, NeedLedger, NeedPeople
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.roles import Role, resolve
from b24app.core.text import T, bb

HEADING = T("[B]Обучение: {stage}[/B]", "[B]Training: {stage}[/B]")
DIFFICULTY = T("Что не получилось:", "What went wrong:")
STEPS = T("Что делать:", "What to do:")
LINKS = T("Полезные ссылки:", "Useful links:")
VIDEO = T("Видео", "Video")
WRITTEN = T("Обучающий комментарий стадии «{stage}» написан", "The training comment of the stage “{stage}” was written")
LEFT_OUT = T("ссылка «{link}» не веб-адрес и опущена", "the link “{link}” is no web address and was left out")
OFF = T("Блок обучения выключен", "The training block is switched off")
LEARNED = T("{name} уже освоил процесс, обучение не нужно", "{name} has learned the process, no training is needed")
ONCE = T(
    "Обучающий комментарий стадии «{stage}» уже писали", "The training comment of the stage “{stage}” was written before"
)
EASY = T(
    "Затруднений нет: возвратов со стадии «{stage}» — {count}, подсказка пишется с {wanted}-го",
    "No difficulty: returns from the stage “{stage}”: {count}, the hint is written from number {wanted} on",
)


@dataclass(frozen=True, slots=True)
class Props:
    text: T = prop(T("Объяснение", "Explanation"), same=True)
    steps: tuple[T, ...] = prop(T("Шаги", "Steps"), default=())
    links: tuple[T, ...] = prop(
        T("Ссылки", "Links"),
        default=(),
        help=T("https://… и через пробел название", "https://… and, after a blank, its title"),
    )
    video: str = prop(T("Ссылка на видео", "Link to a video"), default="")
    when: str = prop(
        T("Когда писать", "When to write"),
        default="entry",
        options={
            "entry": T("при первом входе на стадию", "on the first entry into the stage"),
            "difficulty": T("при затруднениях", "on difficulty"),
            "always": T("всегда", "always"),
        },
    )
    from_return: int = prop(T("С какого возврата", "From which return on"), default=1)
    of: Role = prop(T("Кого учим", "Who is taught"), default=Role("responsible"))


def needs(call: Call, props: Props, facts: Facts) -> Iterable[Need[Any]]:
    """Ask for the ledger and for what the texts speak of."""
    return (NeedLedger(call.item), *wording.reading(call, facts, (props.text, *props.steps)))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Write the comment when it is wanted; somebody who asks for help always gets it while training is on."""
    item, people = facts[NeedItem(call.item)], facts[NeedPeople()]
    if item is None:
        return Outcome(wording.GONE)
    if not call.house.training:
        return Outcome(OFF)
    if not isinstance(call.cause, AskedByPerson):
        user = resolve(props.of, item, people, call.house).user
        if user in facts[NeedLedger(call.item)].learned:
            return Outcome(LEARNED.fill(name=people.name(user)))
        unwanted = _unwanted(call, props, facts[NeedLedger(call.item)])
        if unwanted is not None:
            return Outcome(unwanted)
    written = (*(link.at(call.house.lang) for link in props.links), props.video)
    refused = [LEFT_OUT.fill(link=link) for link in written if link.strip() and not _link(link)]
    why = wording.sentence(WRITTEN.fill(stage=wording.stage_name(call)), *refused)
    text = _text(call, props, wording.known(call, facts, item))
    point = call.place.point()
    trained = (MarkTrained(call.item, point.key if point else call.place.stage),) if not call.reasons else ()
    return Outcome(why, (Comment(call.item, wording.cut_bb(text, wording.BODY)), *trained))


def _unwanted(call: Call, props: Props, ledger: Ledger) -> T | None:
    point, stage = call.place.point(), wording.stage_name(call)
    if props.when == "entry" and {call.place.stage, point.key if point else ""} & ledger.trained:
        return ONCE.fill(stage=stage)
    count = ledger.returns.get(call.place.stage, 0) + bool(call.reasons)
    if props.when == "difficulty" and count < max(props.from_return, 1):
        return EASY.fill(stage=stage, count=count, wanted=max(props.from_return, 1))
    return None


def _text(call: Call, props: Props, values: dict[str, object]) -> str:
    parts = [call.say(HEADING, stage=bb(call.say(wording.stage_name(call))))]
    if call.reasons:
        parts.append(f"{call.say(DIFFICULTY)}\n{wording.bullets(call.reasons, call)}")
    parts.append(wording.render(call, props.text, values))
    if props.steps:
        numbered = (f"{n}. {wording.render(call, step, values, wording.VALUE)}" for n, step in enumerate(props.steps, 1))
        parts.append("\n".join((call.say(STEPS), *numbered)))
    links = [link for written in props.links if (link := _link(written.at(call.house.lang)))]
    if links:
        parts.append("\n".join((call.say(LINKS), *(f"• {link}" for link in links))))
    if video := _link(props.video, call.say(VIDEO)):
        parts.append(f"▶ {video}")
    return "\n\n".join(parts)


def _link(written: str, shown: str = "") -> str:
    address, _, title = written.strip().partition(" ")
    return wording.url(address, title.strip() or shown or address)


ROBOT = Robot(
    code="training_comment",
    name=T("Обучающий комментарий", "Training comment"),
    description=T(
        "Пишет в карточку объяснение, шаги, ссылки и видео — при входе на стадию или при затруднениях",
        "Writes an explanation, steps, links and a video into the card, on entry or on difficulty",
    ),
    decide=decide,
    props=Props,
    needs=needs,
)
