"""How hard portals are used now: the request budget, the operating time of methods, and what has waited longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.engine import Connection

from b24app.bitrix.budget import bucket_of
from b24app.bitrix.tempo import OPERATING_LIMIT, from_rows
from b24app.engine.watching.metrics import BUDGET, OLDEST, OPERATING
from b24app.engine.workshop import Workshop
from b24app.store.vitals import waiting_since


@dataclass(frozen=True, slots=True)
class Strain:
    """Requests in the bucket and how many it holds; seconds of operating time by method, those not yet forgotten.

    ``waits`` is for how long the oldest thing that could be done now has waited.
    """

    requests: int = 0
    bucket: int = 0
    operating: Mapping[str, float] = field(default_factory=dict)
    limit: float = OPERATING_LIMIT
    waits: timedelta = timedelta()


def strain_of(workshop: Workshop, connection: Connection, portal_id: int) -> Strain:
    """Look how hard a portal is used."""
    tat, licence = workshop.portals.spent(connection, portal_id)
    bucket = bucket_of(licence)
    level = (tat / 1e6 - workshop.pace().timestamp()) * bucket.rate
    now = workshop.now()
    tempo = workshop.tempo(portal_id)
    tempo.take_over(from_rows(workshop.portals.operating(connection, portal_id)))
    known = tempo.operating()
    waiting = waiting_since(connection, portal_id, now)
    oldest = min((at for at in (waiting.callback, waiting.work, waiting.action) if at is not None), default=now)
    return Strain(
        requests=max(0, min(round(level), bucket.burst)),
        bucket=bucket.burst,
        operating={method: spent.seconds for method, spent in sorted(known.items()) if spent.reset_at > now},
        waits=now - oldest,
    )


def measure_strain(workshop: Workshop) -> None:
    """Write down for monitoring how the most strained portal is doing."""
    with workshop.database.read() as connection:
        strains = [strain_of(workshop, connection, portal.id) for portal in workshop.portals.all(connection) if portal.works]
    most = Counter[str]()
    for strain in strains:
        most |= Counter(strain.operating)
    OPERATING.clear()
    for method, seconds in most.items():
        OPERATING.labels(method).set(seconds)
    OLDEST.set(max((strain.waits.total_seconds() for strain in strains), default=0))
    BUDGET.set(max((strain.requests / strain.bucket for strain in strains), default=0))
