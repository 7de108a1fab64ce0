"""Every defect, put into a copy of a shipped training set at a known line, is found at that line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assets import shipped
from harness.config.audit import load_thresholds
from harness.data.audit import AuditInput, audit
from harness.data.audit_finding import AuditReport, Check, Finding
from harness.data.audit_records import AuditedRecord, AuditedSet, read_for_audit
from harness.data.golden import load_golden_set
from harness.data.lengths import Length, Lengths
from harness.records.messages import Message
from harness.records.training import TrainingRecord

EXPERIMENTS = shipped("suites") / "experiments"
DEFAULT = load_thresholds("default", beside=Path())
Lines = list[str]
Record = dict[str, object]


def words(audited: AuditedSet, limit: int | None = None) -> Lengths:
    of = {r.line: Length(prompt=len(r.record.question.split()), answer=len(r.answer.split())) for r in audited.records}
    return Lengths(unit="words", of=of, limit=limit, measured_by="the test")


def audited(path: Path, *, golden: str | None = None, limit: int | None = None) -> AuditReport:
    read = read_for_audit(path)
    golden_set = load_golden_set(shipped("golden_sets") / golden) if golden else None
    return audit(AuditInput(audited=read, lengths=words(read, limit), golden=golden_set), DEFAULT)


def finding(report: AuditReport, check: Check) -> Finding:
    (found,) = [one for one in report.findings if one.check == check]
    return found


def changed(line: int, **fields: object) -> Callable[[Lines], None]:
    """Sets fields of the record in a line; a value of `...` removes the field."""

    def spoil(lines: Lines) -> None:
        record: Record = json.loads(lines[line - 1]) | fields
        lines[line - 1] = json.dumps({k: v for k, v in record.items() if v is not ...}, ensure_ascii=False)

    return spoil


def asks(line: int, text: str) -> Callable[[Lines], None]:
    return changed(line, prompt=f"{text} Code the diagnosis of this note for the chart, please.")


def copied(source: int, target: int, **fields: object) -> Callable[[Lines], None]:
    def spoil(lines: Lines) -> None:
        lines[target - 1] = lines[source - 1]
        changed(target, **fields)(lines)

    return spoil


def nearly(source: int, target: int) -> Callable[[Lines], None]:
    """A long question, and the same with its last word changed."""
    note = " ".join(f"finding{number} was seen" for number in range(20))

    def spoil(lines: Lines) -> None:
        changed(source, prompt=f"{note} today")(lines)
        changed(target, prompt=f"{note} yesterday")(lines)

    return spoil


def from_golden(lines: Lines) -> None:
    item = load_golden_set(shipped("golden_sets") / "icd10_coding").items[2]
    changed(31, prompt=item.question)(lines)


def put(line: int, text: str) -> Callable[[Lines], None]:
    return lambda lines: lines.__setitem__(line - 1, text)


CARD, IBAN = "4111 1111 " + "1111 1111", "GB82 WEST 1234 " + "5698 7654 32"
KEY = "AKIA" + "Q7RTZ5XW2MNB4VKD"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----"
RANDOM = "f9Kx2LmQ7" + "vTz4RwBn8" + "YcHd3JpSg6" + "AeU1oXiWq5"

DEFECTS: dict[str, tuple[Callable[[Lines], None], Check, tuple[int, ...]]] = {
    "a line that is cut off": (put(7, '{"prompt": "Half a'), "unreadable_lines", (7,)),
    "a line that is a list": (put(9, "[1, 2]"), "unreadable_lines", (9,)),
    "a missing answer": (changed(12, completion=...), "fields", (12,)),
    "an empty answer": (changed(13, completion="  "), "fields", (13,)),
    "an empty question": (changed(14, prompt=""), "fields", (14,)),
    "another format": (
        put(15, json.dumps({"instruction": "Code: measles.", "output": "ICD-10 Codes:\n- B05.9 (Measles)"})),
        "formats",
        (15,),
    ),
    "fields that nobody knows": (put(16, '{"left": "x", "right": "y"}'), "formats", (16,)),
    "an unknown field": (changed(17, colour="red"), "refused_records", (17,)),
    "an exact duplicate": (copied(3, 90), "exact_duplicates", (90,)),
    "a near duplicate": (nearly(20, 91), "near_duplicates", (91,)),
    "a contradiction": (
        copied(4, 92, completion="ICD-10 Codes:\n- I10 (Hypertension)"),
        "contradictions",
        (4, 92),
    ),
    "a record of the golden set": (from_golden, "golden_overlap", (31,)),
    "a long record": (asks(33, "word " * 300), "lengths", (33,)),
    "a replacement character": (asks(40, "Caf\ufffd worker."), "encoding_damage", (40,)),
    "UTF-8 read as Windows-1252": (asks(41, "M\u00c3\u00a9ni\u00c3\u00a8re\u2019s."), "encoding_damage", (41,)),
    "a wrongly read quote": (asks(42, "Patient\u00e2\u20ac\u2122s knee."), "encoding_damage", (42,)),
    "a control character": (asks(43, "A\x07 knee."), "odd_characters", (43,)),
    "a zero-width space": (asks(44, "A\u200bknee."), "odd_characters", (44,)),
    "a bidirectional override": (asks(45, "A \u202eknee."), "odd_characters", (45,)),
    "decomposed letters": (asks(46, "Me\u0301nie\u0300re."), "normal_form", (46,)),
    "another line end": (asks(47, "One line.\r\nAnother."), "line_ends", (47,)),
    "another language": (
        asks(48, "Der Patient ist seit drei Tagen krank und hat keine Schmerzen, wird aber nicht mit Fieber gesehen."),
        "languages",
        (48,),
    ),
    "another script": (asks(49, "Пациент жалуется на сильную боль в правом колене. " * 3), "languages", (49,)),
    "an email address": (asks(50, "Reach jane.roe@" + "clinic-north.org today."), "personal_data", (50,)),
    "a phone number": (asks(51, "Call +44 20 7946 " + "0018 first."), "personal_data", (51,)),
    "a social security number": (asks(52, "SSN 123-45-" + "6789."), "personal_data", (52,)),
    "a card number": (asks(53, f"Paid with {CARD}."), "personal_data", (53,)),
    "an IBAN": (asks(54, f"From {IBAN} today."), "personal_data", (54,)),
    "a record number": (asks(55, "MRN: 0048" + "8213, a cough."), "personal_data", (55,)),
    "an IP address": (asks(56, "Sent from 83.12." + "40.7."), "personal_data", (56,)),
    "an access key": (asks(60, f"Use {KEY} now."), "secrets", (60,)),
    "a private key": (asks(61, PEM), "secrets", (61,)),
    "a password": (asks(62, "password: hunter" + "2hunter"), "secrets", (62,)),
    "a random string": (asks(63, f"Log in by {RANDOM} once."), "secrets", (63,)),
    "a secret in an answer": (changed(64, completion=f"ICD-10 Codes:\n- {KEY} (Key)"), "secrets", (64,)),
    "a stray answer": (changed(70, completion="It is I10!"), "answer_format", (70,)),
}


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[Callable[[Lines], None]], Path]:
    """A copy of the shipped ICD-10 training set with a defect in it."""

    def write(spoil: Callable[[Lines], None]) -> Path:
        lines = (EXPERIMENTS / "icd10_coding" / "train.jsonl").read_text(encoding="utf-8").splitlines()
        spoil(lines)
        path = tmp_path / "train.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_at_its_line_and_nowhere_else(
    defect: str, damaged: Callable[[Callable[[Lines], None]], Path]
) -> None:
    spoil, check, lines = DEFECTS[defect]
    found = finding(audited(damaged(spoil), golden="icd10_coding", limit=100), check)
    assert found.lines == lines
    assert found.count == len(lines)


@pytest.mark.parametrize("secret", [CARD, IBAN, KEY, PEM, RANDOM])
def test_no_sensitive_value_is_repeated(secret: str, damaged: Callable[[Callable[[Lines], None]], Path]) -> None:
    report = audited(damaged(asks(5, f"See {secret} here.")))
    assert {"personal_data", "secrets"} & {one.check for one in report.findings}
    assert secret not in repr(report)


def test_imbalance_is_found_with_the_lines_of_rare_classes(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    answers = ["medical"] * 24 + ["legal"] * 4
    path.write_text("\n".join(json.dumps({"prompt": f"Case {n}?", "completion": a}) for n, a in enumerate(answers)))
    found = finding(audited(path), "balance")
    assert (found.severity, found.value) == ("warning", 6.0)
    assert found.lines == (25, 26, 27, 28)


def test_many_defects_are_all_found_at_once_and_fail(damaged: Callable[[Callable[[Lines], None]], Path]) -> None:
    def spoil(lines: Lines) -> None:
        for one in ("a line that is cut off", "an empty answer", "an exact duplicate", "an access key"):
            DEFECTS[one][0](lines)

    report = audited(damaged(spoil))
    found = {one.check for one in report.findings}
    assert {"unreadable_lines", "fields", "exact_duplicates", "secrets"} <= found
    assert report.fails
    assert report.findings[0].severity == "problem"


@pytest.mark.parametrize("name", ["icd10_coding", "domain_routing", "financial_analysis"])
def test_what_is_shipped_has_nothing_but_hints(name: str) -> None:
    report = audited(EXPERIMENTS / name / "train.jsonl", golden=name)
    assert [one for one in report.findings if one.severity != "hint"] == []
    assert not report.fails


def test_a_long_list_of_lines_is_cut_and_the_rest_counted(damaged: Callable[[Callable[[Lines], None]], Path]) -> None:
    def spoil(lines: Lines) -> None:
        for line in range(1, 31):
            changed(line, completion="")(lines)

    found = finding(audited(damaged(spoil)), "fields")
    assert (found.count, len(found.lines), found.lines_left_out, len(found.examples)) == (30, 20, 10, 5)


text = st.text(max_size=200)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(text, text, st.none() | text, st.lists(text, max_size=2)), min_size=1, max_size=15),
    st.integers(1, 50) | st.none(),
)
def test_no_text_makes_the_audit_fail(written: list[tuple[str, str, str | None, list[str]]], limit: int | None) -> None:
    records = tuple(
        AuditedRecord(
            record=TrainingRecord(prompt=(Message(role="user", content=asked),), completion=answer, line=line),
            label=label,
            tags=tuple(tags),
            others=(),
        )
        for line, (asked, answer, label, tags) in enumerate(written, start=1)
    )
    given_set = AuditedSet(path="x", sha256="0", format="chat", records=records, observations=())
    report = audit(AuditInput(audited=given_set, lengths=words(given_set, limit), golden=None), DEFAULT)
    assert report.records == len(written)
    for one in report.findings:
        assert set(one.lines) <= set(range(1, len(written) + 1))
        assert one.check == "balance" or 0 <= one.value <= 1
