"""Values as the Sheets API gives and takes them: A1 ranges, what is raw and what is parsed, how cells are shown."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.sheets_grid import JSON, Area, Book, Formula, Refused, Sheet, Value
from sandbox.sheets_pivot import overlay

Render = Literal["FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"]
CELL_LIMIT = 50_000
_RANGE = re.compile(r"^(?:(?:'((?:[^']|'')+)'|([^'!]+))!)?(?:([A-Za-z]{0,3})(\d*)(?::([A-Za-z]{0,3})(\d*))?)?$")
_NUMBER = re.compile(r"^-?\d+(?:\.\d+)?$")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 a serial number has no zone


def letters(index: int) -> str:
    """Name a column: 0 is A, 26 is AA."""
    name = ""
    while index >= 0:
        name = chr(ord("A") + index % 26) + name
        index = index // 26 - 1
    return name


def column_of(name: str) -> int:
    """Number a column by its letters."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def find(book: Book, text: str) -> tuple[Sheet, Area]:
    """Read a range in A1 notation; raises `Refused` when there is no such sheet or it is no range."""
    whole = book.titled(text[1:-1].replace("''", "'") if text.startswith("'") and text.endswith("'") else text)
    if whole is not None:
        return whole, Area(0, whole.row_count, 0, whole.column_count)
    match = _RANGE.match(text)
    if match is None:
        raise Refused(f"Unable to parse range: {text}")
    quoted, plain, left, top, right, bottom = match.groups()
    title = (quoted or "").replace("''", "'") or plain
    sheet = book.titled(title) if title else book.sheets[0]
    if sheet is None or not (left or top):
        raise Refused(f"Unable to parse range: {text}")
    return sheet, _area(sheet, text, left, top, right, bottom)


def _area(sheet: Sheet, text: str, left: str, top: str, right: str | None, bottom: str | None) -> Area:
    first_row, first_column = int(top or 1) - 1, column_of(left) if left else 0
    single = right is None and bottom is None
    last_row = first_row + 1 if single and top else int(bottom) if bottom else sheet.row_count
    last_column = first_column + 1 if single and left else column_of(right) + 1 if right else sheet.column_count
    sheet.check(max(last_row, first_row + 1), max(last_column, first_column + 1), text)
    return Area(first_row, last_row, first_column, last_column)


def named(sheet: Sheet, area: Area) -> str:
    """Write a range the way Google answers it."""
    bottom, right = area.bottom or sheet.row_count, area.right or sheet.column_count
    title = (
        sheet.title if re.fullmatch(r"[A-Za-z_]\w*", sheet.title, re.ASCII) else "'" + sheet.title.replace("'", "''") + "'"
    )
    start, end = f"{letters(area.left)}{area.top + 1}", f"{letters(right - 1)}{bottom}"
    return f"{title}!{start}" if start == end else f"{title}!{start}:{end}"


def read(book: Book, text: str, render: Render, dimension: str = "ROWS") -> JSON:
    """Read values; empty cells at the end of rows, and empty rows at the end, are left out."""
    sheet, area = find(book, text)
    grid = overlay(book, sheet)
    rows = []
    for number in range(area.top, min(area.bottom or 0, len(grid))):
        line = grid[number][area.left : area.right]
        rows.append(_trimmed([_rendered(sheet, v, number, area.left + n, render) for n, v in enumerate(line)]))
    while rows and not rows[-1]:
        rows.pop()
    if dimension == "COLUMNS":
        width = max(map(len, rows), default=0)
        rows = [_trimmed([row[n] if n < len(row) else "" for row in rows]) for n in range(width)]
    found: JSON = {"range": named(sheet, area), "majorDimension": dimension}
    return {**found, "values": rows} if rows else found


def _trimmed(line: list[Any]) -> list[Any]:
    while line and line[-1] == "":
        line.pop()
    return line


def _rendered(sheet: Sheet, value: Value, row: int, column: int, render: Render) -> Any:
    if value is None:
        return ""
    if isinstance(value, Formula):
        return value.text if render == "FORMULA" else "#N/A"
    return shown(value, sheet.format_of(row, column)) if render == "FORMATTED_VALUE" else value


def shown(value: Value, entered: JSON) -> str:
    """Show a value with its number format; only the patterns of dates, decimals and percents are known."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Formula):
        return "#N/A"
    if not isinstance(value, int | float):
        return value or ""
    number: JSON = entered.get("numberFormat") or {}
    pattern = str(number.get("pattern", ""))
    if number.get("type") in ("DATE", "DATE_TIME") and pattern:
        return _dated(value, pattern)
    decimals = len(pattern.partition(".")[2].rstrip("%"))
    if pattern.endswith("%"):
        return f"{value * 100:.{decimals}f}%"
    return f"{value:.{decimals}f}" if pattern else f"{value:g}"


def _dated(serial: float, pattern: str) -> str:
    moment = _EPOCH + timedelta(minutes=round(serial * 24 * 60))
    for mark, code in (("yyyy", "%Y"), ("hh:mm", "%H:%M"), ("mm", "%m"), ("dd", "%d")):
        pattern = pattern.replace(mark, code)
    return moment.strftime(pattern)


def write(book: Book, data: JSON, option: str) -> JSON:
    """Write a ValueRange; null leaves a cell alone, an empty text clears it. Raises `Refused`."""
    if option not in ("RAW", "USER_ENTERED"):
        raise Refused("'valueInputOption' is required but not specified")
    sheet, area = find(book, str(data.get("range", "")))
    rows = data.get("values", [])
    if data.get("majorDimension") == "COLUMNS":
        rows = [list(line) for line in zip(*rows, strict=True)]
    if len(rows) > (area.bottom or 0) - area.top and area.bottom != area.top + 1:
        raise Refused(f"Requested writing within range [{data['range']}], but tried writing to row [{area.top + len(rows)}]")
    width = max(map(len, rows), default=0)
    if width > (area.right or 0) - area.left and area.right != area.left + 1:
        raise Refused(f"Requested writing within range [{data['range']}], but tried writing to column [{area.left + width}]")
    sheet.check(area.top + len(rows), area.left + width, str(data["range"]))
    take = entered if option == "USER_ENTERED" else raw
    for row, line in enumerate(rows, area.top):
        sheet.put_line(row, area.left, [None if value is None else take(value) for value in line])
    touched = {"updatedRows": len(rows), "updatedColumns": width, "updatedCells": sum(map(len, rows))}
    return {"spreadsheetId": book.id, "updatedRange": named(sheet, area), **touched}


def raw(value: Any) -> Value:
    """Take a value as it is; raises `Refused` for what is no text, number or truth value, or too long."""
    if not isinstance(value, str | int | float | bool):
        raise Refused(f"Invalid values: {type(value).__name__}")
    if isinstance(value, str) and len(value) > CELL_LIMIT:
        raise Refused(f"Your input contains more than the maximum of {CELL_LIMIT} characters in a single cell.")
    return value


def entered(value: Any) -> Value:
    """Take a value as if a person typed it: formulas and numbers become what they look like."""
    value = raw(value)
    if not isinstance(value, str) or not value:
        return value
    if value[0] in "=+" and len(value) > 1:
        return Formula(value if value[0] == "=" else f"={value}")
    if _NUMBER.match(value):
        return float(value) if "." in value else int(value)
    return {"TRUE": True, "FALSE": False}.get(value.upper(), value.removeprefix("'"))


def clear(book: Book, text: str) -> str:
    """Clear the values of a range, and name it."""
    sheet, area = find(book, text)
    for line in sheet.cells[area.top : area.bottom]:
        for column in range(area.left, min(area.right or 0, len(line))):
            line[column] = None
    return named(sheet, area)
