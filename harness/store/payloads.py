"""What an event of the registry carries: a record as JSON text and back, to the last digit."""

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from harness.errors import StoreError
from harness.hashing import canonical_json
from harness.records.registry import Promotion, RegistryEvent, Waiver
from harness.records.verdicts import Verdict

RecordT = TypeVar("RecordT")

_VERDICT = TypeAdapter(Verdict)
_WAIVER = TypeAdapter(Waiver)
_PROMOTION = TypeAdapter(Promotion)


def verdict_payload(verdict: Verdict) -> str:
    """A verdict as canonical JSON. Floats keep every digit, so that equal numbers give equal text.

    Raises:
        ValueError: A number is NaN or infinite.
        StoreError: A text has no UTF-8 form.
    """
    return _payload(_VERDICT, verdict)


def waiver_payload(waiver: Waiver) -> str:
    """A waiver as canonical JSON.

    Raises:
        StoreError: A text has no UTF-8 form.
    """
    return _payload(_WAIVER, waiver)


def promotion_payload(promotion: Promotion) -> str:
    """A promotion or rollback as canonical JSON.

    Raises:
        StoreError: A text has no UTF-8 form.
    """
    return _payload(_PROMOTION, promotion)


def read_verdict(event: RegistryEvent) -> Verdict:
    """The verdict that an event carries.

    Raises:
        StoreError: The text is not one.
    """
    return _record(_VERDICT, event)


def read_waiver(event: RegistryEvent) -> Waiver:
    """The waiver that an event carries.

    Raises:
        StoreError: The text is not one.
    """
    return _record(_WAIVER, event)


def read_promotion(event: RegistryEvent) -> Promotion:
    """The promotion or rollback that an event carries.

    Raises:
        StoreError: The text is not one.
    """
    return _record(_PROMOTION, event)


def _payload(kind: "TypeAdapter[RecordT]", record: RecordT) -> str:
    written = canonical_json(kind.dump_python(record, mode="json"))
    try:
        written.encode()
    except UnicodeEncodeError as error:
        before = error.object[max(0, error.start - 20) : error.start]
        raise StoreError(
            f"half of a surrogate pair stands after {before!r}: it is no Unicode character and cannot be recorded. "
            "Write the text in UTF-8."
        ) from error
    # Read back and written again: a whole number in the place of a float is the same record, and gets the same text.
    return canonical_json(kind.dump_python(kind.validate_json(written, strict=True), mode="json"))


def _record(kind: "TypeAdapter[RecordT]", event: RegistryEvent) -> RecordT:
    try:
        return kind.validate_json(event.payload, strict=True)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"event {event.sequence} of the registry is not a readable {event.kind}: {place}: {first['msg']}. "
            "`harness verify` says whether it was edited."
        ) from problem
