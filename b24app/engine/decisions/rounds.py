"""Stopping what undoes each other: the count of the journal, the note in the timeline, the notice, the incident.

See `b24app.core.rounds` for what counts as a round; docs/processes.md for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from b24app.core.actions import Action, AnswerRobot, Comment, Notify
from b24app.core.call import Call
from b24app.core.item import People
from b24app.core.robot import Outcome, Robot
from b24app.core.rounds import WINDOW, Round, by_itself, remedy, rounds_in, same_round, stopped, too_many
from b24app.core.text import T, bb
from b24app.core.wording import item_link
from b24app.log import log
from b24app.store import audit, views
from b24app.store.portals import Portal

SUFFIX = ":rounds"
"""Ends the key of a run that was stopped, so that the step itself keeps its key for when it is retried."""
_log = log("rounds")


@dataclass(frozen=True, slots=True)
class Stop:
    """A step that would have gone on without end; ``told`` when people know of it already."""

    round: Round
    why: T
    told: bool


def stop_of(
    connection: Connection, portal: Portal, call: Call, robot: Robot[object], outcome: Outcome, now: datetime, limit: int
) -> Stop | None:
    """Tell whether a step has done the same too often; None for what people caused."""
    if not by_itself(call.cause):
        return None
    for action in rounds_in(outcome.actions):
        before = views.actions_since(connection, portal.id, action.item, action.kind, now - WINDOW)
        moments = [at for one, at in before if rounds_in([one]) and same_round(action, rounds_in([one])[0])]
        if too_many(moments, now, limit):
            told = views.run_ended_since(connection, portal.id, call.item, robot.code, SUFFIX, now - WINDOW)
            return Stop(action, stopped(call, robot.name, action, limit), told)
    return None


def instead(
    connection: Connection, portal: Portal, call: Call, stop: Stop, answer: AnswerRobot | None, people: People
) -> Outcome:
    """Return what is done in place of a step that was stopped: people are told, once; a waiting robot is answered."""
    actions: list[Action] = [answer] if answer is not None else []
    if not stop.told:
        said = f"[B]{bb(call.say(stop.why))}[/B]\n{call.say(remedy())}"
        actions.append(Comment(call.item, said))
        wanted = dict.fromkeys((portal.grant.user, portal.settings.fallback))
        users = [user for user in wanted if user and (user == portal.grant.user or people.active(user))]
        notice = f"{said}\n{item_link(call, call.item) or call.item.binding}"
        actions += [Notify(user, notice, call.item) for user in users]
        details = {"item": str(call.item), "doing": stop.round.kind}
        audit.note(connection, portal.id, call.at, "application", "rounds_stopped", call.say(stop.why), **details)
        _log.warning("two rules undo each other", portal=portal.host, **details)
    return Outcome(stop.why, tuple(actions), None, ok=False)
