from harness.data.audit_records import AuditedRecord
from harness.data.sensitive import Sensitive, find_sensitive
from harness.records.messages import Message
from harness.records.training import TrainingRecord


def test_a_value_is_named_by_line_and_kind_and_never_repeated() -> None:
    records = [
        AuditedRecord(
            record=TrainingRecord(prompt=(Message(role="user", content=text),), completion="x", line=line),
            label=None,
            tags=(),
            others=("swordfish",),
        )
        for line, text in ((4, "nothing"), (9, "open sesame, open sesame"))
    ]

    def look(text: str) -> list[Sensitive]:
        return [Sensitive(kind="spell", value="open sesame")] * text.count("open sesame")

    (found,) = find_sensitive(records, "secrets", look, "Spells")
    assert (found.lines, found.value) == ((9,), 0.5)
    assert found.sentence == "Spells: 1 of 2 records (50.0 %), spell 2."
    assert found.examples == ("line 9: spell op... (11 characters)",)
    assert find_sensitive(records[:1], "secrets", look, "Spells") == []
