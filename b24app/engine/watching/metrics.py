"""What is counted of the way to portals, for Prometheus. Portals are not told apart: their number is not bounded."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from b24app.bitrix.replies import Timing

REQUESTS = Counter("b24app_portal_requests", "HTTP requests to portals", ["outcome"])
SECONDS = Histogram(
    "b24app_portal_request_seconds", "How long portals take to answer", buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
)
COMMANDS = Counter("b24app_portal_commands", "Commands to portals, alone or in batches", ["method", "outcome"])
OPERATING = Gauge(
    "b24app_portal_operating_seconds", "Operating time used in the window, by the portal that used most", ["method"]
)
SILENT = Gauge(
    "b24app_events_silent_seconds", "How long the history of some portal has moved without an event; 0: it is told of"
)
EXPORTED = Gauge("b24app_export_age_seconds", "How long ago the corrections were last exported; 0: there is no spreadsheet")
EXPORT_FAILS = Gauge("b24app_export_failing", "Whether the export to Google Sheets fails")
PORTALS = Gauge("b24app_portals", "Portals by state", ["state"])
HEALED = Gauge("b24app_entries_healed", "Stage entries the history told of and no event, ever since the installation")
SPOOL = Gauge("b24app_spool_waiting", "Callbacks that lie on this machine's disk, as the database did not take them")
OLDEST = Gauge("b24app_oldest_waiting_seconds", "How long the oldest thing that could be done now has waited")
BUDGET = Gauge("b24app_portal_budget_used", "How full the request bucket of the busiest portal is, 0 to 1")


class Metrics:
    """Counts what a gate does."""

    def request(self, method: str, commands: int, outcome: str, seconds: float) -> None:
        REQUESTS.labels(outcome).inc()
        SECONDS.observe(seconds)

    def command(self, method: str, outcome: str, time: Timing) -> None:
        COMMANDS.labels(method, outcome).inc()
