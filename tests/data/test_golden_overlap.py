from harness.data.audit_records import AuditedRecord
from harness.data.golden_overlap import find_golden_overlap
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.training import TrainingRecord

NOTE = " ".join(f"finding{n} was seen" for n in range(15))


def record(line: int, question: str) -> AuditedRecord:
    read = TrainingRecord(prompt=(Message(role="user", content=question),), completion="x", line=line)
    return AuditedRecord(record=read, label=None, tags=(), others=())


def test_copies_and_near_copies_are_found_with_their_items() -> None:
    items = [
        Item(item_id=name, input=(Message(role="user", content=text),), references=("x",))
        for name, text in (("a", f"{NOTE} today"), ("b", "Which colour has the sky?"))
    ]
    records = [record(1, "nothing alike"), record(2, "which colour has the sky"), record(3, f"{NOTE} yesterday")]
    (found,) = find_golden_overlap(records, items)
    assert found.lines == (2, 3)
    assert "item b" in found.examples[0]
    assert "item a" in found.examples[1]
    assert find_golden_overlap(records[:1], items) == []
