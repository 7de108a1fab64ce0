"""Moments in time, to and from the ledger, which keeps microseconds of UTC.

Read as a number (`epoch_us`), since DuckDB hands out a TIMESTAMPTZ only where pytz is installed.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_utc(at: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: `at` has no time zone, so it names no moment.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; use datetime.now(UTC)")
    return at.astimezone(UTC)


def from_microseconds(microseconds: int) -> datetime:
    """The moment so many microseconds after 1970-01-01 00:00 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
