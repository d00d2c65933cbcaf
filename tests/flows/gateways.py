"""SMS gateways as an administrator sets them up."""

from __future__ import annotations

from b24app.core.portal import Gateway, Secrets
from tests.flows.stage import Stage


def set_up_gateway(stage: Stage, gateway: Gateway) -> None:
    workshop = stage.application.workshop
    with workshop.database.write() as connection:
        workshop.portals.set_secrets(connection, stage.portal_id, Secrets(gateway=gateway))


def askable(stage: Stage) -> Gateway:
    """A gateway that can be asked what became of a message."""
    host, key = stage.world.sms.domain, {"login": stage.world.sms.login, "psw": stage.world.sms.password}
    asked = "&".join(f"{name}={value}" for name, value in key.items())
    return Gateway(
        url=f"http://{host}/sys/send.php",
        fields={**key, "phones": "{phone}", "mes": "{text}", "id": "{id}"},
        failed="error",
        status_url=f"http://{host}/sys/status.php?{asked}&phone={{phone}}&id={{id}}",
        status_ok='"status"',
    )
