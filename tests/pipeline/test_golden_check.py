"""Deliberately damaged copies of shipped golden sets: each defect is found, by file and line."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.errors import DataError
from harness.pipeline.golden_check import SetCheck, check_golden_set
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from tests.reports.ledger import golden_set as stored_set

SETS = ("domain_routing", "financial_analysis", "icd10_coding")
Line = dict[str, object]


class Copy:
    """A copy of a shipped set that can be damaged; its manifest's hash follows unless told otherwise."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.home = folder / "home"
        shutil.copytree(shipped("golden_sets") / name, self.folder)

    def path(self, file: str) -> Path:
        return self.folder / file

    def change(self, file: str, old: str, new: str) -> None:
        text = self.path(file).read_text(encoding="utf-8")
        assert old in text
        self.path(file).write_text(text.replace(old, new, 1), encoding="utf-8")

    def item(self, number: int, **fields: object) -> None:
        """Gives the item in line `number` other fields; None takes one away."""
        lines = self.path("golden.jsonl").read_text(encoding="utf-8").splitlines()
        item = json.loads(lines[number - 1]) | fields
        kept = {key: value for key, value in item.items() if value is not None or key == "group"}
        lines[number - 1] = json.dumps(kept, ensure_ascii=False)
        self.write("\n".join(lines).encode() + b"\n")

    def read(self, number: int) -> Line:
        return json.loads(self.path("golden.jsonl").read_text(encoding="utf-8").splitlines()[number - 1])

    def write(self, content: bytes) -> None:
        path = self.path("golden.jsonl")
        before, after = (hashlib.sha256(raw).hexdigest() for raw in (path.read_bytes(), content))
        path.write_bytes(content)
        self.change("manifest.yaml", before, after)

    def check(self) -> SetCheck:
        return check_golden_set(str(self.folder), self.home)


@pytest.fixture
def routing(tmp_path: Path) -> Copy:
    return Copy(tmp_path, "domain_routing")


def _said(check: SetCheck, severity: str = "defect") -> list[str]:
    found = check.defects if severity == "defect" else check.hints
    return [f"{one.file}{'' if one.line is None else f':{one.line}'}: {one.words}" for one in found]


def _one(check: SetCheck, start: str, *, severity: str = "defect") -> None:
    """Exactly one finding of this severity, and it begins so; a shipped set's own hints apart."""
    said = [one for one in _said(check, severity) if "no item is out_of_scope" not in one]
    assert len(said) == 1, said
    assert said[0].startswith(start), said[0]


@pytest.mark.parametrize("name", SETS)
def test_a_shipped_set_has_no_defect(tmp_path: Path, name: str) -> None:
    check = check_golden_set(str(shipped("golden_sets") / name), tmp_path)
    assert _said(check) == []
    assert check.name == name
    assert check.items > 50


@pytest.mark.parametrize("name", SETS)
def test_a_copy_that_is_not_damaged_has_no_defect(tmp_path: Path, name: str) -> None:
    assert _said(Copy(tmp_path, name).check()) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"grop": "g"}, 'golden.jsonl:5: "grop" is not a field of an item; did you mean "group"?'),
        ({"input": None}, 'golden.jsonl:5: "input" is missing; an item needs either "input" or "messages"'),
        ({"reference": None}, 'golden.jsonl:5: "reference" is missing; an item needs either'),
        (
            {"messages": [{"role": "user", "content": "Q"}]},
            'golden.jsonl:5: "input" and "messages" are both given; an item needs exactly one.',
        ),
        ({"references": ["legal"]}, 'golden.jsonl:5: "reference" and "references" are both given'),
        ({"input": "  "}, 'golden.jsonl:5: "input" is empty'),
        ({"reference": ""}, 'golden.jsonl:5: "reference" is empty'),
        ({"kind": "tipical"}, 'golden.jsonl:5: "kind": "tipical" is not allowed; did you mean "typical"?'),
        ({"difficulty": "harsh"}, 'golden.jsonl:5: "difficulty": "harsh" is not allowed; did you mean "hard"?'),
        ({"item_id": "route-003"}, 'golden.jsonl:5: item_id "route-003" is already used in line 3.'),
        ({"sealed": 1}, 'golden.jsonl:5: "sealed": true or false is needed, seen: 1.'),
        ({"retired": ""}, 'golden.jsonl:5: "retired" is empty'),
        ({"tags": ["Symptoms"]}, 'golden.jsonl:5: the tag "Symptoms" is written "symptoms" in line 1.'),
        ({"notes": "na\ufffdve"}, 'golden.jsonl:5: item "route-005": "notes" was decoded wrongly (replacement'),
        ({"notes": "cafÃ© au lait"}, 'golden.jsonl:5: item "route-005": "notes" was decoded wrongly (UTF-8 read as'),
        ({"must_contain": ["legal", "lawyer"]}, 'golden.jsonl:5: item "route-005": must_contain does not give its own'),
        ({"must_not_contain": ["MED"]}, 'golden.jsonl:5: item "route-005": must_contain does not give its own'),
    ],
)
def test_a_damaged_item_is_found_by_its_line(routing: Copy, fields: Line, expected: str) -> None:
    routing.item(5, **fields)
    _one(routing.check(), expected)


def test_what_a_reference_lacks_is_named(routing: Copy) -> None:
    routing.item(5, must_contain=["lawyer"], must_not_contain=["medical"])
    (said,) = _said(routing.check())
    assert 'its own reference "medical" full marks (absent: "lawyer"; forbidden: "medical")' in said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            str.upper,
            'golden.jsonl:9: item "route-009" asks the same as "route-005" in line 5, so that it counts twice.',
        ),
        (lambda text: f"{text}!!", 'golden.jsonl:9: item "route-009" asks the same as "route-005" in line 5'),
    ],
)
def test_the_same_question_twice_is_found(routing: Copy, change: Callable[[str], str], expected: str) -> None:
    routing.item(9, input=change(str(routing.read(5)["input"])), reference="medical")
    _one(routing.check(), expected)


def test_the_same_question_with_another_answer_is_a_contradiction(routing: Copy) -> None:
    routing.item(9, input=routing.read(5)["input"], reference="legal")
    _one(
        routing.check(),
        'golden.jsonl:9: item "route-009" asks the same as "route-005" in line 5 and has another reference: "legal", '
        'there "medical". Settle which is right.',
    )


def test_nearly_the_same_question_is_a_hint_unless_both_are_of_one_group(routing: Copy) -> None:
    asked = "My knee has been swollen since the fall last week and I cannot bend it at all, what should I do about it"
    routing.item(5, input=asked, group=None)
    routing.item(9, input=asked.replace("knee", "elbow"), reference="medical", group=None)
    check = routing.check()
    assert _said(check) == []
    _one(check, 'golden.jsonl:9: item "route-009" asks nearly the same as "route-005" in line 5', severity="hint")
    routing.item(5, group="knee")
    routing.item(9, group="knee")
    assert [one for one in _said(routing.check(), "hint") if "nearly" in one] == []


def test_a_retired_item_may_be_asked_anew_in_other_words(routing: Copy) -> None:
    routing.item(5, retired="two professionals would disagree")
    routing.item(9, input=routing.read(5)["input"], reference="legal")
    check = routing.check()
    assert _said(check) == []
    assert (check.items, check.retired) == (89, 1)


def test_spellings_of_a_group_that_differ_only_in_case_are_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "icd10_coding")
    group = next(n for n in range(1, 73) if copy.read(n)["group"] == "patient-01")
    copy.item(group, group="Patient_01")
    (said,) = _said(copy.check())
    assert "golden.jsonl" in said
    assert 'the group "' in said
    assert '"Patient_01"' in said


def test_a_reference_without_full_marks_of_its_own_scorers_is_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "icd10_coding")
    copy.item(2, reference="ICD-10 codes: B02.9")
    _one(copy.check(), 'golden.jsonl:2: item "icd-002": format_valid does not give its own reference "ICD-10 codes')
    copy.item(3, reference="athlete's foot")
    copy.item(4, reference="ICD-10 Codes:\n- Q99.99 (Invented)")
    said = _said(copy.check())
    assert [one.partition(": ")[0] for one in said] == ["golden.jsonl:2", "golden.jsonl:3", "golden.jsonl:4"]
    assert "gives no code" in said[1]
    assert "the code list does not have Q99.99" in said[2]


def test_a_figure_that_its_own_working_does_not_give_is_found(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "financial_analysis")
    copy.item(1, reference="Working: 100 * 18,476 / 48,620\nAnswer: 83.0 %")
    _one(copy.check(), 'golden.jsonl:1: item "fin-001": working_correct does not give its own reference')


def test_an_out_of_scope_item_that_is_answered_is_a_hint(tmp_path: Path) -> None:
    copy = Copy(tmp_path, "icd10_coding")
    number = next(n for n in range(1, 73) if copy.read(n)["kind"] == "out_of_scope")
    copy.item(number, reference="ICD-10 Codes:\n- B35.3 (Tinea pedis)")
    _one(
        copy.check(),
        f'golden.jsonl:{number}: item "{copy.read(number)["item_id"]}" is out_of_scope, and no word of its reference',
        severity="hint",
    )


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda raw: b"\xef\xbb\xbf" + raw, "golden.jsonl:1: the file begins with a byte order mark"),
        (lambda raw: raw.replace(b"\n", b"\r\n"), "golden.jsonl:1: lines end with CR LF here; a checkout"),
        (
            lambda raw: raw.replace(b'\n{"item_id": "route-004"', b'\r\n{"item_id": "route-004"'),
            "golden.jsonl:3: lines end with CR LF here, others with LF alone",
        ),
        (lambda raw: raw.rstrip(b"\n"), "golden.jsonl:90: the last line does not end with a line feed"),
    ],
    ids=["byte order mark", "all CR LF", "mixed line ends", "no last line feed"],
)  # fmt: skip
def test_bytes_that_other_programs_change_are_hints(
    routing: Copy, damage: Callable[[bytes], bytes], expected: str
) -> None:
    routing.write(damage(routing.path("golden.jsonl").read_bytes()))
    check = routing.check()
    assert _said(check) == []
    _one(check, expected, severity="hint")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda raw: raw.replace(b"{", b"", 1), "golden.jsonl:1: not valid JSON in column 10"),
        (lambda raw: raw.replace(b"ache", b"\xff", 1), "golden.jsonl:1: byte 0xff in column"),
        (lambda raw: raw.decode().encode("utf-16"), "golden.jsonl:1: the file is UTF-16, UTF-8 is needed"),
    ],
)
def test_lines_that_cannot_be_read_are_found(routing: Copy, damage: Callable[[bytes], bytes], expected: str) -> None:
    routing.write(damage(routing.path("golden.jsonl").read_bytes()))
    assert any(one.startswith(expected) for one in _said(routing.check())), _said(routing.check())


def test_a_file_that_changed_under_the_same_version_is_a_defect(routing: Copy) -> None:
    path = routing.path("golden.jsonl")
    path.write_bytes(path.read_bytes().replace(b"dull ache", b"sharp ache"))
    _one(routing.check(), "golden.jsonl: the sha256 is ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("licence: Apache-2.0\n", "", 'manifest.yaml: "licence" is missing. Add it.'),
        ("authors: [harness maintainers]", "authors: []", "manifest.yaml:5: authors:"),
        ("licence:", "license:", 'manifest.yaml:4: "license" is not a known key; did you mean "licence"?'),
        ("version: 1.0.0\nsha", "version: first\nsha", 'manifest.yaml:2: "first" is not a version such as 1.0.0'),
        ("  - version: 1.0.0", "  - version: 0.9.0", "manifest.yaml:6: no change is noted for version 1.0.0"),
        ("changes:\n", "changes:\n  - {version: 1.0.0, note: x}\n", "manifest.yaml:6: version 1.0.0 stands twice"),
        ("scorers: [label]", "scorers: [lable]", 'manifest.yaml: "lable" is not a scorer; did you mean "label"?'),
    ],
)  # fmt: skip
def test_a_damaged_manifest_is_found(routing: Copy, old: str, new: str, expected: str) -> None:
    routing.change("manifest.yaml", old, new)
    said = _said(routing.check())
    assert any(one.startswith(expected) for one in said), said
    assert all(one.startswith("manifest.yaml") for one in said if "card.md" not in one), said


def test_what_was_never_filled_in_is_a_hint(routing: Copy) -> None:
    routing.change("manifest.yaml", "[harness maintainers]", "[not stated]")
    _one(routing.check(), 'manifest.yaml:5: authors: "not stated" says nothing yet', severity="hint")


def test_a_damaged_rubric_is_found_by_its_line(routing: Copy) -> None:
    routing.change("rubric.yaml", "    weight: 3", "    weigth: 3")
    _one(routing.check(), 'rubric.yaml:11: "criteria.0.weigth" is not a known key; did you mean "weight"?')


def test_a_missing_rubric_and_one_of_another_set_are_hints(routing: Copy) -> None:
    routing.change("rubric.yaml", "name: domain_routing", "name: other")
    _one(routing.check(), 'rubric.yaml: the rubric is called "other"', severity="hint")
    routing.path("rubric.yaml").unlink()
    _one(routing.check(), "rubric.yaml: there is none", severity="hint")


@pytest.mark.parametrize(
    ("old", "new", "expected", "severity"),
    [
        ("| version | 1.0.0", "| version | 0.9", 'card.md: does not name the version, "1.0.0"', "defect"),
        ("| licence | Apache-2.0", "| licence | free", 'card.md: does not name the licence, "Apache-2.0"', "defect"),
        ("## Limits", "## Further", "card.md: no heading is about its limits.", "hint"),
        ("## What it is for", "## Aims", "card.md: no heading is about what it is for.", "hint"),
        ("## How the items were written and checked", "## Items", "card.md: no heading is about how it", "hint"),
        ("| language |", "| TODO |", "card.md:10: something is still to be filled in here.", "hint"),
    ],
)  # fmt: skip
def test_a_card_that_lacks_something_is_found(routing: Copy, old: str, new: str, expected: str, severity: str) -> None:
    routing.change("card.md", old, new)
    _one(routing.check(), expected, severity=severity)


def test_a_missing_card_is_a_defect(routing: Copy) -> None:
    routing.path("card.md").unlink()
    _one(routing.check(), "card.md: there is none.")


def test_every_problem_is_told_at_once(routing: Copy) -> None:
    routing.item(5, grop="g")
    routing.item(7, reference="")
    routing.change("rubric.yaml", "    weight: 3", "    weight: 0")
    routing.path("card.md").unlink()
    places = [one.partition(": ")[0] for one in _said(routing.check())]
    assert places == ["golden.jsonl:5", "golden.jsonl:7", "card.md", "rubric.yaml:11"]


def test_few_items_of_one_kind_and_uneven_answers_are_hints(routing: Copy) -> None:
    lines = [routing.read(n) for n in range(1, 91)]
    of = {label: [line for line in lines if line["reference"] == label] for label in ("medical", "legal")}
    kept = [{**line, "kind": "typical"} for line in (*of["medical"][:20], *of["legal"][:2])]
    routing.write("".join(json.dumps(line) + "\n" for line in kept).encode())
    said = _said(routing.check(), "hint")
    assert any("no item is edge or adversarial or out_of_scope" in one for one in said)
    assert any("22 items are asked; under 30" in one for one in said)
    assert any('the answer "medical" stands 20 times, "legal" 2 times' in one for one in said)


def test_a_version_that_the_ledger_holds_with_other_items_is_a_defect(routing: Copy) -> None:
    other = stored_set()
    ledger = open_ledger(routing.home, create=True)
    record_golden_set(ledger, other)
    routing.change(
        "manifest.yaml", "name: domain_routing\nversion: 1.0.0", f"name: {other.name}\nversion: {other.version}"
    )
    said = [one for one in _said(routing.check()) if "the ledger holds version" in one]
    assert len(said) == 1
    assert "Raise `version` in manifest.yaml" in said[0]


def test_a_folder_without_a_manifest_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no manifest\.yaml"):
        check_golden_set(str(tmp_path), tmp_path / "home")


def test_a_set_of_sealed_items_alone_is_no_set_to_run(routing: Copy) -> None:
    for number in range(1, len(routing.path("golden.jsonl").read_text(encoding="utf-8").splitlines()) + 1):
        routing.item(number, sealed=True)
    _one(routing.check(), "golden.jsonl: every item is sealed, so that a run would answer nothing.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: [\n", "manifest.yaml:2: not valid YAML: expected the node content"),
        ("", "manifest.yaml: expected `key: value` lines at the top level."),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_once(routing: Copy, content: str, said: str) -> None:
    routing.path("manifest.yaml").write_text(content)
    _one(routing.check(), said)
