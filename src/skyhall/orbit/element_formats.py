"""Reading published element sets: two- and three-line, and CCSDS OMM as KVN, XML, JSON and CSV."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from math import isfinite
from typing import Any, Final

from sgp4 import omm
from sgp4.api import SGP4_ERRORS, Satrec
from sgp4.io import compute_checksum

from skyhall.errors import Place, ValueProblem

__all__ = ["Entry", "read_entries"]

# Columns of the two lines (Hoots and Roehrich 1980, Spacetrack Report No. 3, section 2; Alpha-5 numbers).
_LINE_1: Final = re.compile(
    r"1 [ \dA-Z][ \d]{3}\d[A-Z ] .{8} [ \d]\d[ \d]{2}\d\.[ \d]{8} [ +-][ 0]?\.\d{8} "
    r"[ +-][ \d]{5}[ +-]\d [ +-][ \d]{5}[ +-]\d [ \d] [ \d]{4}\d"
)
_ANGLE: Final = r"[ \d]{2}\d\.\d{4}"
_LINE_2: Final = re.compile(
    rf"2 [ \dA-Z][ \d]{{3}}\d {_ANGLE} {_ANGLE} [ \d]{{7}} {_ANGLE} {_ANGLE} [ \d]\d\.\d{{8}}[ \d]{{5}}\d"
)
_LINE_LENGTH: Final = 69
_LARGEST_NUMBER: Final = 339999  # of a satellite, in the sgp4 library's five characters
_NEEDED: Final = (
    "EPOCH",
    "MEAN_MOTION",
    "ECCENTRICITY",
    "INCLINATION",
    "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER",
    "MEAN_ANOMALY",
    "BSTAR",
)
# What CCSDS 502.0-B lets a message leave out and SGP4 does not use.
_OPTIONAL: Final = {
    "CLASSIFICATION_TYPE": "U",
    "OBJECT_ID": "",
    "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "999",
    "REV_AT_EPOCH": "0",
    "MEAN_MOTION_DOT": "0",
    "MEAN_MOTION_DDOT": "0",
    "NORAD_CAT_ID": "0",
}
_CONVENTION: Final = {"TIME_SYSTEM": "UTC", "REF_FRAME": "TEME", "CENTER_NAME": "EARTH"}
_KVN_LINE: Final = re.compile(r"\s*([A-Z0-9_]+)\s*=\s*(.*?)\s*(?:\[[^\]]*\]\s*)?$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One element set of a file: its name and line, and either a `satrec` or the reason for having none."""

    name: str
    line: int | None
    number: str = ""
    satrec: Any = None
    reason: str = ""


def read_entries(text: str, source: str = "") -> list[Entry]:
    """Return every element set of `text`, good or bad, in the file's order; the format is recognised.

    Raises
    ------
    ValueProblem : the text is empty, or as a whole not what its first characters say it is.
    """
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped:
        raise ValueProblem(
            "holds no element sets: it is empty", place=Place(source or None), right="give TLE or OMM"
        )
    first = stripped.splitlines()[0]
    try:
        if stripped.startswith("<"):
            return _messages(_xml_fields(stripped))
        if stripped.startswith(("[", "{")):
            return _messages(_json_fields(stripped))
        if "MEAN_MOTION" in first and "," in first:
            return _messages(csv.DictReader(StringIO(stripped)))
        if _KVN_LINE.match(first) or first.startswith("COMMENT"):
            return _messages(_kvn_fields(stripped))
    except (ET.ParseError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise ValueProblem(
            f"cannot be read: {error}", place=Place(source or None), right="give TLE or OMM"
        ) from None
    return list(_lines(text))


def _lines(text: str) -> Iterator[Entry]:
    # Pairs of lines 1 and 2, each pair with the name line before it, if there is one.
    name, start, first = "", 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.lstrip("\ufeff").rstrip()
        if not line or line.startswith("#"):
            continue
        if first:
            if line.startswith("2 "):
                yield _from_lines(name, start, first, line)
                name, first = "", ""
                continue
            yield Entry(name or first[2:7].strip(), start, reason="line 1 is not followed by a line 2")
            name, first = "", ""
        if line.startswith("1 ") and len(line) > 24:
            start, first = number, line
        elif line.startswith("2 ") and len(line) > 24:
            yield Entry(name or line[2:7].strip(), number, reason="line 2 does not follow a line 1")
            name = ""
        else:
            if name:
                yield Entry(name, start, reason="a name without an element set")
            name, start = line.removeprefix("0 ").strip(), number
    if first or name:
        reason = "line 1 is not followed by a line 2" if first else "a name without an element set"
        yield Entry(name or first[2:7].strip(), start, reason=reason)


def _from_lines(name: str, line: int, first: str, second: str) -> Entry:
    number = first[2:7].strip()
    entry = name or number
    reason = _fault_of_line(1, first, _LINE_1) or _fault_of_line(2, second, _LINE_2)
    if not reason and number != second[2:7].strip():
        reason = f"line 1 is of satellite {number}, line 2 of {second[2:7].strip()}"
    if reason:
        return Entry(entry, line, number, reason=reason)
    return _checked(entry, line, number, Satrec.twoline2rv(first[:_LINE_LENGTH], second[:_LINE_LENGTH]))


def _fault_of_line(which: int, line: str, columns: re.Pattern[str]) -> str:
    # What follows after a space is a comment, as in the test vectors of Vallado et al.
    if len(line) < _LINE_LENGTH or line[_LINE_LENGTH : _LINE_LENGTH + 1].strip():
        return f"line {which} has {len(line.rstrip())} characters, not {_LINE_LENGTH}"
    if not (line.isascii() and line[:_LINE_LENGTH].isprintable()):
        return f"line {which} has a character that no element set may have"
    if not columns.match(line):
        return f"line {which} does not keep to its columns"
    checksum = compute_checksum(line)
    if str(checksum) == line[68]:
        return ""
    return f"line {which} ends in the checksum {line[68]}, but its digits add up to {checksum}"


def _checked(name: str, line: int | None, number: str, satrec: Any) -> Entry:
    code, place, _ = satrec.sgp4_tsince(0.0)
    if code or not all(map(isfinite, place)):
        return Entry(
            name, line, number, reason=f"SGP4 refuses it: {SGP4_ERRORS.get(code, 'no finite position')}"
        )
    return Entry(name, line, number, satrec)


def _messages(messages: Iterable[Mapping[str, Any]]) -> list[Entry]:
    return [_from_message(index, message) for index, message in enumerate(messages, 1)]


def _from_message(index: int, message: Mapping[str, Any]) -> Entry:
    fields = {key: str(value).strip() for key, value in message.items() if key and value not in (None, "")}
    number = fields.get("NORAD_CAT_ID", "")
    name = fields.get("OBJECT_NAME") or number or f"message {index}"
    missing = [key for key in _NEEDED if key not in fields]
    if missing:
        return Entry(name, None, number, reason=f"has no {', '.join(missing)}")
    for key, wanted in _CONVENTION.items():
        if fields.get(key, wanted).upper() != wanted:
            return Entry(name, None, number, reason=f"{key} is {fields[key]}, not {wanted}")
    if not fields.get("MEAN_ELEMENT_THEORY", "SGP4").upper().startswith("SGP"):
        return Entry(name, None, number, reason=f"its theory is {fields['MEAN_ELEMENT_THEORY']}, not SGP4")
    satrec = Satrec()
    whole = {**_OPTIONAL, **fields}
    if not number.isdecimal() or int(number) > _LARGEST_NUMBER:
        whole["NORAD_CAT_ID"] = "0"  # the entry keeps the full number
    try:
        whole["EPOCH"] = _epoch(fields["EPOCH"])
        omm.initialize(satrec, whole)
    except (ValueError, OverflowError) as error:
        return Entry(name, None, number, reason=f"a value cannot be read: {error}")
    return _checked(name, None, number, satrec)


def _epoch(text: str) -> str:
    # Calendar date or day of year (CCSDS 301.0-B, ASCII time codes A and B), to the microsecond.
    whole, _, fraction = text.removesuffix("Z").partition(".")
    form = "%Y-%jT%H:%M:%S" if re.match(r"\d{4}-\d{3}T", whole) else "%Y-%m-%dT%H:%M:%S"
    moment = datetime.strptime(whole, form)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction + '000000')[:6]}"


def _xml_fields(text: str) -> Iterator[dict[str, str]]:
    for segment in ET.fromstring(text).iter():
        if segment.tag.rpartition("}")[2] == "segment":
            yield {item.tag.rpartition("}")[2]: (item.text or "").strip() for item in segment.iter()}


def _json_fields(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    messages = document if isinstance(document, list) else [document]
    return [message if isinstance(message, dict) else {} for message in messages]


def _kvn_fields(text: str) -> Iterator[dict[str, str]]:
    # A message ends where a keyword comes back.
    fields: dict[str, str] = {}
    for line in text.splitlines():
        match = _KVN_LINE.match(line)
        if not match:
            continue
        key, value = match.groups()
        if key == "CCSDS_OMM_VERS" or key in fields:
            if fields:
                yield fields
            fields = {}
        if key != "CCSDS_OMM_VERS":
            fields[key] = value
    if fields:
        yield fields
