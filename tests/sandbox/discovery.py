"""Google's own description of the Sheets API, and what in a request or an answer does not agree with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sandbox.sheets import SheetsRequest
from sandbox.sheets_answer import Mask, mask_of

JSON = dict[str, Any]
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


@cache
def description() -> JSON:
    """Read the description that google-api-python-client carries."""
    package = find_spec("googleapiclient")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "discovery_cache" / "documents" / "sheets.v4.json"
    found: JSON = json.loads(path.read_text(encoding="utf-8"))
    return found


def problems_of_request(record: SheetsRequest) -> list[str]:
    """Name every path, parameter and field of a request that Google does not know."""
    method = method_of(record.verb, record.path)
    if method is None:
        return [f"no method for {record.verb} {record.path}"]
    known = {**method["parameters"], **description()["parameters"]}
    found = [f"{record.path}: no parameter {name}" for name in record.query if name not in known]
    for name, values in record.query.items():
        allowed = known.get(name, {}).get("enum")
        found += [f"{name}={value} is not allowed" for value in values if allowed and value not in allowed]
    for fields in record.query.get("fields", []):
        found += list(_masked(mask_of(fields), method["response"], "fields"))
    if record.body is not None and "request" not in method:
        return [*found, f"{record.path} takes no body"]
    return found + (list(problems(record.body, method["request"], "body")) if record.body is not None else [])


def problems_of_answer(verb: str, path: str, body: JSON) -> list[str]:
    """Name every field of an answer that Google would not give."""
    method = method_of(verb, path)
    return [f"no method for {verb} {path}"] if method is None else list(problems(body, method["response"], "answer"))


def method_of(verb: str, path: str) -> JSON | None:
    """Find the method a request means."""
    for method in _methods(description()):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(method["flatPath"]))
        if method["httpMethod"] == verb.upper() and re.fullmatch(pattern, path.lstrip("/")) and _closest(method, path):
            return method
    return None


def _closest(method: JSON, path: str) -> bool:
    """A verb after a colon belongs to the method, not to the range or the spreadsheet."""
    said = re.search(r":([a-zA-Z]{4,})$", path)
    return (said.group(1) if said else "") == (method["flatPath"].rpartition(":")[2] if ":" in method["flatPath"] else "")


def _methods(resource: JSON) -> Iterator[JSON]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def problems(value: Any, schema: JSON, at: str) -> Iterator[str]:
    """Name what of a value a schema does not know."""
    if "$ref" in schema:
        schema = description()["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any" or value is None:  # null is "not set" in the JSON of protocol buffers
        return
    whole: Any = value
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind in ("integer", "number")):
        yield f"{at} is {type(value).__name__}, not {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at} cannot be {value!r}"
    elif kind == "array":
        for number, part in enumerate(whole[:200]):
            yield from problems(part, schema["items"], f"{at}[{number}]")
    elif kind == "object":
        yield from _fields(whole, schema, at)


def _fields(value: JSON, schema: JSON, at: str) -> Iterator[str]:
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for name, part in value.items():
        if name not in known and rest is None:
            yield f"{at}: no field {name}"
            continue
        yield from problems(part, known.get(name, rest), f"{at}.{name}")
        if name == "fields" and isinstance(part, str):
            yield from _masked(mask_of(part), {"$ref": MASKED.get(schema["id"], "")}, f"{at}.fields")


MASKED = {
    "UpdateCellsRequest": "CellData",
    "RepeatCellRequest": "CellData",
    "UpdateSheetPropertiesRequest": "SheetProperties",
    "UpdateDimensionPropertiesRequest": "DimensionProperties",
}
"""What a field mask inside a request is about."""


def _masked(mask: Mask, schema: JSON, at: str) -> Iterator[str]:
    while "$ref" in schema or "items" in schema:
        schema = schema.get("items") or description()["schemas"].get(schema["$ref"], {})
    for name, below in mask.items():
        if name == "*":
            continue
        if name not in schema.get("properties", {}):
            yield f"{at}: no field {name}"
        else:
            yield from _masked(below, schema["properties"][name], f"{at}.{name}")
