"""Send an SMS that the portal's own robot or card handed to this application as its SMS provider."""

from __future__ import annotations

from dataclasses import dataclass

from b24app.core.actions import SendSms
from b24app.core.call import Call
from b24app.core.needs import Facts
from b24app.core.robot import Outcome, Robot, prop
from b24app.core.text import T

TAKEN = T("Сообщение портала передаётся в SMS-шлюз", "A message of the portal is handed to the SMS gateway")


@dataclass(frozen=True, slots=True)
class Props:
    phone: str = prop(T("Телефон", "Phone"))
    text: T = prop(T("Текст", "Text"))
    message_id: str = prop(T("Номер сообщения на портале", "Number of the message on the portal"))


def decide(call: Call, props: Props, facts: Facts) -> Outcome:
    """Send what the portal asked to send; its status goes back to the portal."""
    return Outcome(TAKEN, (SendSms(call.item, props.phone, call.say(props.text), message_id=props.message_id),))


ROBOT = Robot(
    code="relay_sms",
    name=T("Передать SMS портала", "Relay an SMS of the portal"),
    description=T("Отправляет SMS, которое передал портал", "Sends an SMS the portal handed over"),
    decide=decide,
    props=Props,
    needs=lambda call, props, facts: (),
    internal=True,
)
