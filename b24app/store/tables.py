"""The tables. Moments are whole microseconds since 1970 in UTC, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime kept as whole microseconds; a naive one is refused."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a zone: {value!r}")
        return (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=int(value))


metadata = sa.MetaData()

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def _portal() -> sa.Column[int]:
    return sa.Column("portal_id", _ID, sa.ForeignKey("portals.id", ondelete="CASCADE"), nullable=False)


def _item() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("entity_type_id", sa.Integer, nullable=False),
        sa.Column("item_id", sa.BigInteger, nullable=False),
    )


portals = sa.Table(
    "portals",
    metadata,
    _id(),
    sa.Column("member_id", sa.String(64), nullable=False, unique=True),
    sa.Column("endpoint", sa.String(255), nullable=False),  # https://<portal>/rest/
    sa.Column("oauth_endpoint", sa.String(255), nullable=False),  # https://<oauth host>/rest/
    sa.Column("state", sa.String(16), nullable=False),  # installing active reconnect removed
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("application_tokens", sa.LargeBinary, nullable=False),  # encrypted JSON list, newest first
    sa.Column("access_token", sa.LargeBinary, nullable=False),
    sa.Column("refresh_token", sa.LargeBinary, nullable=False),
    sa.Column("access_expires", Moment, nullable=False),
    sa.Column("token_user", sa.Integer, nullable=False),
    sa.Column("renewed_at", Moment, nullable=False),
    sa.Column("spare_token", sa.LargeBinary),  # a refresh token of another chain, for when the first is refused
    sa.Column("spare_at", Moment),  # when it came, or was tried
    sa.Column("scope", sa.Text, nullable=False, default=""),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("secrets", sa.LargeBinary, nullable=False),  # encrypted JSON: the SMS gateway, the payment key
    sa.Column("registered", sa.JSON, nullable=False),  # what -> hash of the definition the portal was given
    sa.Column("knowledge", sa.JSON, nullable=False),  # people, stages, field types with the time they were read
    sa.Column("budget", sa.BigInteger, nullable=False, default=0),  # GCRA: theoretical arrival time, microseconds
    sa.Column("operating", sa.JSON, nullable=False, default=dict),  # method -> seconds used, unix time of forgetting
    sa.Column("lane_owner", sa.String(64), nullable=False, default=""),
    sa.Column("lane_until", Moment, nullable=True),
    sa.Column("wakes", sa.BigInteger, nullable=False, default=0),  # counts wake-ups; those up to wakes_read were followed
    sa.Column("wakes_read", sa.BigInteger, nullable=False, default=0),
    sa.Column("woken_at", Moment, nullable=True),
    sa.Column("read_at", Moment, nullable=True),
    sa.Column("not_before", Moment, nullable=True),
    sa.Column("installed_at", Moment, nullable=False),
    sa.Column("restored_at", Moment, nullable=True),  # when this database was last put in place from a copy
)

processes = sa.Table(
    "processes",
    metadata,
    _id(),
    _portal(),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("entity_type_id", sa.Integer, nullable=False),
    sa.Column("category_id", sa.Integer, nullable=False),
    sa.Column("stages", sa.JSON, nullable=False),  # key -> STATUS_ID
    sa.Column("fields", sa.JSON, nullable=False),  # name -> UF_CRM_…
    sa.Column("training", sa.Boolean, nullable=False, default=True),
    sa.Column("enabled", sa.Boolean, nullable=False, default=True),
    sa.UniqueConstraint("portal_id", "code"),
)

process_versions = sa.Table(
    "process_versions",
    metadata,
    sa.Column("version", sa.String(16), primary_key=True),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)

items = sa.Table(
    "items",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("process", sa.String(64), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("stage_id", sa.String(64), nullable=False),
    sa.Column("watched", sa.JSON, nullable=False),  # field -> value as last seen
    sa.Column("gone", sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint("portal_id", "entity_type_id", "item_id"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    _id(),
    _portal(),
    sa.Column("key", sa.String(80), nullable=True),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("handled_at", Moment, nullable=True),
    sa.UniqueConstraint("portal_id", "key"),
    sa.Index("inbox_open", "portal_id", "handled_at", "id"),
)

cursors = sa.Table(
    "cursors",
    metadata,
    _portal(),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("portal_id", "name"),
)

entries = sa.Table(
    "entries",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("history_id", sa.BigInteger, nullable=True),
    sa.Column("key", sa.String(64), nullable=False),  # what its runs are named by, the same however often it is read
    sa.Column("stage_id", sa.String(64), nullable=False),
    sa.Column("category_id", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("healed", sa.Boolean, nullable=False, default=False),
    sa.Column("came_from", sa.String(64), nullable=True),
    sa.Column("moved_by_action", _ID, nullable=True),
    sa.UniqueConstraint("portal_id", "entity_type_id", "history_id"),
    sa.Index("entries_item", "portal_id", "entity_type_id", "item_id", "id"),
)

work = sa.Table(
    "work",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("key", sa.String(120), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # entry call timer task change form payment ask rerun
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # ready done failed
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("not_before", Moment, nullable=True),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("happened_at", Moment, nullable=False),  # when what it is about happened
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=True),
    sa.UniqueConstraint("portal_id", "key"),
    sa.Index("work_ready", "portal_id", "state", "priority", "id"),
    sa.Index("work_item", "portal_id", "entity_type_id", "item_id"),
)

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("work_id", _ID, nullable=True),
    sa.Column("entry_id", _ID, nullable=True),
    sa.Column("robot", sa.String(64), nullable=False),
    sa.Column("process", sa.String(64), nullable=False, default=""),
    sa.Column("version", sa.String(16), nullable=False, default=""),
    sa.Column("stage_id", sa.String(64), nullable=False, default=""),
    sa.Column("cause", sa.JSON, nullable=False),
    sa.Column("props", sa.JSON, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("why_ru", sa.Text, nullable=False),
    sa.Column("why_en", sa.Text, nullable=False),
    sa.Column("returns", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # decided skipped failed
    sa.Column("at", Moment, nullable=False),
    sa.Column("asked_by", sa.String(120), nullable=False, default=""),
    sa.UniqueConstraint("portal_id", "key"),
    sa.Index("runs_item", "portal_id", "entity_type_id", "item_id", "id"),
)

actions = sa.Table(
    "actions",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("run_id", _ID, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # pending sending unknown done failed dropped
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("not_before", Moment, nullable=True),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment, nullable=True),
    sa.Column("ended_at", Moment, nullable=True),
    sa.UniqueConstraint("portal_id", "key"),
    sa.Index("actions_open", "portal_id", "state", "id"),
    sa.Index("actions_item", "portal_id", "entity_type_id", "item_id", "kind"),
)

timers = sa.Table(
    "timers",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("run_id", _ID, nullable=True),
    sa.Column("entry_id", _ID, nullable=True),
    sa.Column("key", sa.String(32), nullable=False),  # of the action that set it
    sa.Column("name", sa.String(160), nullable=False),
    sa.Column("what", sa.Text, nullable=False, default=""),
    sa.Column("due", Moment, nullable=False),
    sa.Column("step", sa.JSON, nullable=False),
    sa.Column("lives", sa.String(8), nullable=False),
    sa.Column("task", sa.String(120), nullable=False, default=""),
    sa.Column("state", sa.String(16), nullable=False),  # waiting fired cancelled
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("set_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=True),
    sa.Index("timers_due", "portal_id", "state", "due"),
    sa.Index("timers_item", "portal_id", "entity_type_id", "item_id"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("action_id", _ID, nullable=False),
    sa.Column("key", sa.String(32), nullable=False),  # of that action
    sa.Column("task_id", sa.BigInteger, nullable=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("stage", sa.String(64), nullable=False),
    sa.Column("entry_id", _ID, nullable=True),
    sa.Column("responsible", sa.Integer, nullable=False),
    sa.Column("holds", sa.String(8), nullable=False),
    sa.Column("full_checklist", sa.Boolean, nullable=False),
    sa.Column("done", sa.JSON, nullable=False),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("rounds", sa.Integer, nullable=False, default=0),
    sa.Column("deadline", Moment, nullable=True),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("finished_at", Moment, nullable=True),
    sa.UniqueConstraint("portal_id", "action_id"),
    sa.UniqueConstraint("portal_id", "task_id"),
    sa.Index("tasks_item", "portal_id", "entity_type_id", "item_id"),
)

slots = sa.Table(
    "slots",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("start", Moment, nullable=False),
    sa.Column("end", Moment, nullable=False),
    sa.Column("title", sa.Text, nullable=False, default=""),
    sa.Column("claimed_at", Moment, nullable=False),
    sa.Index("slots_user", "portal_id", "user_id", "start"),
)

visits = sa.Table(
    "visits",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("action_id", _ID, nullable=False, unique=True),
    sa.Column("visit_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("start", Moment, nullable=False),
    sa.Column("end", Moment, nullable=False),
    sa.Column("cancelled", sa.Boolean, nullable=False, default=False),
    sa.Index("visits_item", "portal_id", "entity_type_id", "item_id"),
)

trained = sa.Table(
    "trained",
    metadata,
    _portal(),
    *_item(),
    sa.Column("stage", sa.String(64), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("portal_id", "entity_type_id", "item_id", "stage"),
)

learned = sa.Table(
    "learned",
    metadata,
    _portal(),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("portal_id", "user_id"),
)

forms = sa.Table(
    "forms",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),  # of the process whose questions were answered
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("portal_id", "entity_type_id", "item_id", "form", "round", "user_id"),
)

points = sa.Table(
    "points",
    metadata,
    _id(),
    _portal(),
    *_item(),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("portal_id", "entity_type_id", "item_id", "user_id"),
)

corrections = sa.Table(  # what the figures of a correction need and only the portal knows, as last read
    "corrections",
    metadata,
    _portal(),
    *_item(),
    sa.Column("title", sa.Text, nullable=False, default=""),
    sa.Column("responsible", sa.Integer, nullable=False, default=0),
    sa.Column("fields", sa.JSON, nullable=False, default=dict),  # by the process file's names
    sa.Column("gone", sa.Boolean, nullable=False, default=False),
    sa.Column("effort", sa.JSON, nullable=False, default=dict),  # task -> seconds
    sa.Column("effort_of", sa.String(16), nullable=False, default=""),  # the state of its tasks when effort was read
    sa.Column("exported", sa.String(16), nullable=False, default=""),  # hash of the row as it stands in the spreadsheet
    sa.PrimaryKeyConstraint("portal_id", "entity_type_id", "item_id"),
)

exports = sa.Table(  # a spreadsheet and how its exports went
    "exports",
    metadata,
    sa.Column("spreadsheet", sa.String(128), primary_key=True),
    sa.Column("state", sa.JSON, nullable=False, default=dict),  # what the exporter remembers
    sa.Column("full", sa.Boolean, nullable=False, default=True),  # whether the next one has to write every row
    sa.Column("asked_at", Moment, nullable=True),
    sa.Column("tried_at", Moment, nullable=True),
    sa.Column("done_at", Moment, nullable=True),
    sa.Column("not_before", Moment, nullable=True),
    sa.Column("holder", sa.String(64), nullable=False, default=""),
    sa.Column("held_until", Moment, nullable=True),
    sa.Column("report", sa.JSON, nullable=False, default=dict),
    sa.Column("trouble", sa.JSON, nullable=False, default=dict),
)

payments = sa.Table(
    "payments",
    metadata,
    _id(),
    _portal(),
    sa.Column("payment_id", sa.String(120), nullable=False),
    *_item(),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("portal_id", "payment_id"),
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    sa.Column("portal_id", _ID, nullable=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String(120), nullable=False),
    sa.Column("what", sa.String(60), nullable=False),
    sa.Column("why", sa.Text, nullable=False, default=""),
    sa.Column("details", sa.JSON, nullable=False),
)
