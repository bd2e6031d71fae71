"""Field types of a scenario: text with a unit outside, SI float inside, text with a unit again when written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from skyhall import units
from skyhall.errors import SkyhallError

__all__ = [
    "Angle",
    "Confidence",
    "DataRate",
    "Duration",
    "Length",
    "LocalTime",
    "Moment",
    "MoneyPerMass",
    "Power",
    "Ratio",
    "Shield",
    "Speed",
]


@dataclass(frozen=True, slots=True)
class _Quantity:
    """How a float of a scenario is read and written; not negative.

    Attributes
    ----------
    unit : inside. shown, per_shown : the unit it is written in, and what one of it is in `unit`.
    example : of what people write. note : what else helps to write it.
    most : the largest that can be meant, in `unit`; above it is a slip of units.
    """

    unit: str
    shown: str
    per_shown: float
    example: str
    most: float = math.inf
    note: str = ""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "examples": [self.example],
            "description": f"a quantity, e.g. '{self.example}'",
        }

    def read(self, value: object) -> float:
        try:
            number = units.parse(value, self.unit)
        except SkyhallError as error:
            raise ValueError(
                f"{error.what}|write a number with a unit, for example '{self.example}'{self.note}"
            ) from None
        if number < 0.0:
            raise ValueError(f"{value!r} is negative|write a positive quantity, for example '{self.example}'")
        if number > self.most:
            most = f"{self.most / self.per_shown:g} {self.shown}"
            raise ValueError(
                f"{value!r} is more than {most}|check the unit; write, for example, '{self.example}'{self.note}"
            )
        return number

    def write(self, value: float) -> str:
        readable = f"{value / self.per_shown:.15g} {self.shown}"
        exact = f"{value!r} {self.unit}"  # where the readable one would lose the last digit
        return readable if units.parse(readable, self.unit) == value else exact


Length = Annotated[float, _Quantity("m", "km", 1e3, "650 km")]
Shield = Annotated[
    float, _Quantity("m", "mm", 1e-3, "5 mm", most=0.1, note=" (1 g/cm² of aluminium is 3.7 mm)")
]
DataRate = Annotated[float, _Quantity("bit/s", "Gbit/s", 1e9, "1 Gbit/s")]
Power = Annotated[float, _Quantity("W", "kW", 1e3, "120 kW")]
Duration = Annotated[float, _Quantity("s", "s", 1.0, "5 yr")]
Angle = Annotated[float, _Quantity("rad", "deg", math.radians(1.0), "53 deg")]
MoneyPerMass = Annotated[float, _Quantity("USD/kg", "USD/kg", 1.0, "200 USD/kg")]
Speed = Annotated[float, _Quantity("m/s", "m/s", 1.0, "120 m/s")]


def _read_ratio(value: object) -> float:
    try:
        number = units.parse(value, "")
    except SkyhallError as error:
        raise ValueError(f"{error.what}|{error.right}") from None
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{value!r} is not between 0 and 1|write a share, for example 0.4 or '40 %'")
    return number


def _read_confidence(value: object) -> float:
    right = "write a chance between 0.5 and 0.99, for example 0.95"
    try:
        number = units.parse(value, "")
    except SkyhallError as error:
        raise ValueError(f"{error.what}|{right}") from None
    if not 0.5 <= number <= 0.99:
        raise ValueError(f"{value!r} is not between 0.5 and 0.99|{right}")
    return number


Confidence = Annotated[
    float,
    BeforeValidator(_read_confidence),
    WithJsonSchema(
        {"type": ["number", "string"], "minimum": 0.5, "maximum": 0.99, "examples": [0.95, "95 %"]}
    ),
]

Ratio = Annotated[
    float,
    BeforeValidator(_read_ratio),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "maximum": 1, "examples": [0.4, "40 %"]}),
]


def _read_local_time(value: object) -> float:
    text = str(value)
    try:
        hours, minutes = text.split(":")
        seconds = int(hours) * 3600.0 + int(minutes) * 60.0
    except ValueError:
        raise ValueError(
            f'{value!r} is not a local time|write hours and minutes, for example "06:00"'
        ) from None
    if not (0 <= int(hours) < 24 and 0 <= int(minutes) < 60):
        raise ValueError(f'{value!r} is not a time of day|write hours and minutes, for example "06:00"')
    return seconds


LocalTime = Annotated[
    float,
    BeforeValidator(_read_local_time),
    PlainSerializer(lambda value: f"{int(value // 3600):02d}:{int(value % 3600 // 60):02d}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}$", "examples": ["06:00"]}),
]


def _read_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        for read in (_iso, _day_of_year):
            try:
                moment = read(str(value))
                break
            except ValueError:
                continue
        else:
            raise ValueError(
                f"{value!r} is not a moment|write ISO 8601 in UTC, for example 2026-03-20T00:00:00Z"
            )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    if not 1960 <= moment.year <= 2060:
        raise ValueError(
            f"{value!r} is outside 1960 to 2060, the years that the Sun's series holds for|choose one within"
        )
    return moment


_iso: Callable[[str], datetime] = datetime.fromisoformat


def _day_of_year(text: str) -> datetime:
    return datetime.strptime(text.rstrip("Z"), "%Y-%jT%H:%M:%S").replace(tzinfo=UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    PlainSerializer(lambda value: value.isoformat().replace("+00:00", "Z"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-20T00:00:00Z"]}),
]
