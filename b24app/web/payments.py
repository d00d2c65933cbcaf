"""Where an integrated system (accounting, a bank's notifier) tells of a payment; described in ``docs/payments.md``."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from b24app.core.text import clean
from b24app.engine.people.payments import BadSignature, OtherPayment, Payment, confirm, sender_of
from b24app.engine.workshop import Workshop

LIMIT = 16 * 1024  # bytes of a message


class Message(BaseModel):
    """The body of a message. Amounts are decimal numbers, written as text or as a number."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, coerce_numbers_to_str=True)

    portal: Annotated[str, Field(min_length=1, max_length=64)]
    payment_id: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
    deal_id: Annotated[int, Field(gt=0, lt=2**53)]
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,15}([.][0-9]{1,4})?$")]
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    note: Annotated[str, Field(max_length=1000), AfterValidator(clean)] = ""


def pages(workshop: Workshop) -> Blueprint:
    """Make the endpoint."""
    blueprint = Blueprint("payments", __name__)

    @blueprint.post("/api/payments")
    def tell() -> ResponseReturnValue:
        """Take in a payment: 202 written down, 200 told before, 400, 401, 409, 413 or 415 otherwise."""
        if request.mimetype != "application/json":
            return _refused(415, "content_type", "application/json is wanted")
        if (request.content_length or 0) > LIMIT or len(body := request.get_data(cache=False)) > LIMIT:
            return _refused(413, "too_large", f"at most {LIMIT} bytes")
        member_id = _claimed(body)
        timestamp, signed = request.headers.get("X-Timestamp", ""), request.headers.get("X-Signature", "")
        try:
            portal = sender_of(workshop, member_id, timestamp, signed, body)
            message = Message.model_validate_json(body)
            told = Payment(**message.model_dump(exclude={"portal"}))
            new = confirm(workshop, portal, told)
        except BadSignature:
            return _refused(401, "signature", "unknown portal, wrong signature, or a time more than 300 s away")
        except ValidationError as error:
            wrong = [".".join(str(part) for part in problem["loc"]) or "body" for problem in error.errors()]
            return _refused(400, "malformed", ", ".join(sorted(set(wrong))))
        except OtherPayment:
            return _refused(409, "other_payment", "this payment_id was told with another deal, amount or currency")
        return jsonify(accepted=True, repeated=not new), 202 if new else 200

    return blueprint


def _claimed(body: bytes) -> str:
    """Read whose key is to be tried, and nothing else, before the signature is checked."""
    try:
        claimed = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    portal = claimed.get("portal") if isinstance(claimed, dict) else None
    return portal if isinstance(portal, str) and portal.isascii() and len(portal) <= 64 else ""


def _refused(status: int, error: str, description: str) -> tuple[Response, int]:
    return jsonify(error=error, description=description), status
