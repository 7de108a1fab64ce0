"""Values of the ledger in the forms that JSON has."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def to_json_value(value: object) -> object:
    """A DuckDB value as JSON has it.

    Moments and dates become ISO 8601 text, intervals seconds, decimals numbers, blobs hexadecimal text, lists and
    structs lists and objects. NaN and the infinities, which JSON lacks, become the texts NaN, Infinity, -Infinity.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case list() | tuple():
            return [to_json_value(element) for element in cast("list[object]", value)]
        case dict():
            return {str(key): to_json_value(element) for key, element in cast("dict[Any, object]", value).items()}
        case _:
            return str(value)
