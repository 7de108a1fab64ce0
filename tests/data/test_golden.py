import hashlib
import json
from pathlib import Path

import pytest

from harness.assets import shipped
from harness.data.golden import load_golden_set, read_item
from harness.errors import ConfigError, DataError
from harness.records.messages import Message


def _make_set(folder: Path, lines: list[object], manifest: str = "") -> Path:
    content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    (folder / "golden.jsonl").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    head = f"name: small\nversion: 1.0.0\nsha256: {sha256}\nlicence: CC0-1.0\nauthors: [A. Expert]\n"
    (folder / "manifest.yaml").write_text(head + manifest)
    return folder


def _item(**fields: object) -> dict[str, object]:
    return {"item_id": "one", "input": "What is it?", "reference": "It."} | fields


def _problems(folder: Path, lines: list[object], manifest: str = "") -> str:
    with pytest.raises((DataError, ConfigError)) as caught:
        load_golden_set(_make_set(folder, lines, manifest))
    return str(caught.value)


def test_a_set_is_read_with_all_its_fields(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    full = {
        "item_id": "two",
        "messages": turns,
        "references": ["A", "B"],
        "kind": "edge",
        "tags": ["t"],
        "group": "patient-1",
        "difficulty": "hard",
        "source": "written",
        "must_contain": ["a"],
        "must_not_contain": ["b"],
        "notes": "n",
    }
    (tmp_path / "codes.txt").write_text("# codes\nI10  # hypertension\n\nE11.9\n")
    golden_set = load_golden_set(_make_set(tmp_path, [_item(), full], "scorers: [codes_f1]\ncode_list: codes.txt\n"))
    plain, rich = golden_set.items
    assert (golden_set.name, golden_set.version, golden_set.scorers) == ("small", "1.0.0", ("codes_f1",))
    assert golden_set.known_codes == {"I10", "E11.9"}
    assert golden_set.sha256 == hashlib.sha256((tmp_path / "golden.jsonl").read_bytes()).hexdigest()
    assert plain.input == (Message(role="user", content="What is it?"),)
    assert (plain.references, plain.kind, plain.group) == (("It.",), "typical", None)
    assert (rich.question, rich.references, rich.kind, rich.group) == ("Q", ("A", "B"), "edge", "patient-1")
    assert (rich.tags, rich.difficulty, rich.must_contain, rich.must_not_contain) == (("t",), "hard", ("a",), ("b",))


def test_the_readme_tells_every_field_of_an_item() -> None:
    text = (shipped("golden_sets") / "README.md").read_text(encoding="utf-8")
    _, (problem,) = read_item({"item_id": "x", "input": "Q", "reference": "A", "zzz": 1})
    fields = problem.partition("allowed: ")[2].split(", ")
    assert len(fields) == 15
    assert [field for field in fields if f"`{field}`" not in text] == []


def test_exact_match_is_the_scorer_of_a_set_that_names_none(tmp_path: Path) -> None:
    assert load_golden_set(_make_set(tmp_path, [_item()])).scorers == ("exact_match",)


def test_a_retired_item_stays_in_the_file_and_is_not_asked(tmp_path: Path) -> None:
    lines: list[object] = [
        _item(),
        _item(item_id="two", retired="the code was withdrawn"),
        _item(item_id="three", sealed=True),
    ]
    golden_set = load_golden_set(_make_set(tmp_path, lines))
    assert [(item.item_id, item.sealed) for item in golden_set.items] == [("one", False), ("three", True)]
    assert [(item.item_id, item.retired) for item in golden_set.retired] == [("two", "the code was withdrawn")]


def test_sealing_or_retiring_an_item_does_not_change_its_hash(tmp_path: Path) -> None:
    lines: list[object] = [
        _item(item_id=key, **marks) for key, marks in (("a", {}), ("b", {"sealed": True}), ("c", {"retired": "x"}))
    ]
    golden_set = load_golden_set(_make_set(tmp_path, lines))
    assert len({item.item_hash for item in (*golden_set.items, *golden_set.retired)}) == 1


def test_the_id_of_a_retired_item_cannot_be_given_to_another(tmp_path: Path) -> None:
    said = _problems(tmp_path, [_item(retired="wrong"), _item(input="Other")])
    assert 'golden.jsonl:2: item_id "one" is already used in line 1' in said


def test_a_set_whose_items_are_all_retired_is_refused(tmp_path: Path) -> None:
    assert "every item is retired; at least one" in _problems(tmp_path, [_item(retired="wrong")])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            {"item_id": "x", "input": "Q", "answer": "A"},
            '"answer" is not a field of an item; did you mean "reference"?',
        ),
        (_item(grop="g"), '"grop" is not a field of an item; did you mean "group"?'),
        (_item(zzz=1), '"zzz" is not a field of an item; allowed: difficulty, group,'),
        (_item(kind="typicl"), '"kind": "typicl" is not allowed; did you mean "typical"?'),
        (_item(difficulty="9"), '"difficulty": "9" is not allowed; allowed: easy, hard, medium'),
        (_item(item_id=7), '"item_id": text is needed, seen: 7. Write it in double quotes.'),
        (_item(item_id=" "), '"item_id" is empty'),
        (_item(input=""), '"input" is empty'),
        (_item(reference="\n"), '"reference" is empty'),
        (_item(tags="t"), '"tags": a list is needed, seen: "t"'),
        (_item(sealed="yes"), '"sealed": true or false is needed, seen: "yes". Write it without quotes.'),
        (_item(retired=" "), '"retired" is empty; text is needed'),
        (_item(retired=True), '"retired": text is needed, seen: true'),
        (_item(references=["A"]), '"reference" and "references" are both given'),
        ({"item_id": "x", "input": "Q"}, '"reference" is missing; an item needs either "reference" or "references"'),
        ({"item_id": "x", "reference": "A"}, '"input" is missing; an item needs either "input" or "messages"'),
        ({"input": "Q", "reference": "A"}, '"item_id" is missing'),
        ({"item_id": "x", "input": "Q", "references": []}, '"references" is empty'),
        ({"item_id": "x", "input": "Q", "references": ["A", ""]}, '"references.1" is empty'),
        ({"item_id": "x", "messages": [], "reference": "A"}, '"messages" is empty'),
        (
            {"item_id": "x", "messages": [{"role": "assistant", "content": "c"}], "reference": "A"},
            '"messages" ends with a turn of the assistant, not of the user',
        ),
        (
            {"item_id": "x", "messages": [{"rol": "user", "content": "c"}], "reference": "A"},
            '"messages.0.rol" is not a field of an item; did you mean "role"?',
        ),
        (
            {"item_id": "x", "messages": [{"role": "usr", "content": "c"}], "reference": "A"},
            '"messages.0.role": "usr" is not allowed; did you mean "user"?',
        ),
    ],
)
def test_a_planted_defect_is_named_with_file_and_line(tmp_path: Path, line: object, expected: str) -> None:
    said = _problems(tmp_path, [_item(item_id="fine"), line])
    assert f"{tmp_path / 'golden.jsonl'}:2: {expected}" in said
    assert ": 1 problem\n" in said


def test_a_misnamed_field_is_not_also_called_missing(tmp_path: Path) -> None:
    said = _problems(tmp_path, [{"id": "x", "input": "Q", "reference": "A"}])
    assert 'did you mean "item_id"?' in said
    assert "missing" not in said


def test_a_repeated_item_id_names_both_lines(tmp_path: Path) -> None:
    said = _problems(tmp_path, [_item(), _item(item_id="two"), _item(input="Other")])
    assert 'golden.jsonl:3: item_id "one" is already used in line 1' in said


def test_all_problems_are_told_at_once_in_line_order(tmp_path: Path) -> None:
    said = _problems(tmp_path, [_item(kind="odd"), [1], _item(item_id="two", reference="")])
    assert "3 problems" in said
    assert said.index(":1:") < said.index(":2:") < said.index(":3:")


def test_changed_items_are_refused_with_both_hashes_and_the_next_step(tmp_path: Path) -> None:
    folder = _make_set(tmp_path, [_item()])
    path = folder / "golden.jsonl"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"It.", b"That."))
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        load_golden_set(folder)
    for part in (expected, seen, "raise `version`", "restore the file"):
        assert part in str(caught.value)


def test_changed_items_with_a_defect_are_told_together(tmp_path: Path) -> None:
    folder = _make_set(tmp_path, [_item()])
    (folder / "golden.jsonl").write_text('{"item_id": "one"}\n')
    with pytest.raises(DataError, match="3 problems") as caught:
        load_golden_set(folder)
    assert "the sha256 is" in str(caught.value)
    assert 'golden.jsonl:1: "input" is missing' in str(caught.value)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("scorer: [exact_match]\n", '"scorer" is not a known key; did you mean "scorers"?'),
        ("scorers: []\n", "scorers"),
        ("code_list: ../codes.txt\n", "is a path; a file name is needed"),
        ("changes: [{version: 1.0.0}]\n", '"changes.0.note" is missing'),
    ],
)
def test_a_defect_of_the_manifest_is_named(tmp_path: Path, manifest: str, expected: str) -> None:
    said = _problems(tmp_path, [_item()], manifest)
    assert "manifest.yaml" in said
    assert expected in said


def test_a_version_that_yaml_reads_as_a_number_is_to_be_quoted(tmp_path: Path) -> None:
    folder = _make_set(tmp_path, [_item()])
    path = folder / "manifest.yaml"
    path.write_text(path.read_text().replace("1.0.0", "1.10"))
    with pytest.raises(ConfigError, match=r"is a number, text is needed; write it in quotes"):
        load_golden_set(folder)


def test_a_folder_without_a_manifest_is_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no manifest\.yaml.*copy the manifest"):
        load_golden_set(tmp_path)
    with pytest.raises(DataError, match=r"is not a folder"):
        load_golden_set(tmp_path / "nowhere")


def test_defects_of_a_code_list_are_named_with_their_line(tmp_path: Path) -> None:
    folder = _make_set(tmp_path, [_item()], "code_list: codes.txt\n")
    with pytest.raises(DataError, match=r"codes\.txt: no such file"):
        load_golden_set(folder)
    (folder / "codes.txt").write_text("I10\nA000 Cholera due to Vibrio\n")
    with pytest.raises(DataError, match=r"codes\.txt:2: one code a line is needed, seen: `A000 Cholera"):
        load_golden_set(folder)
    (folder / "codes.txt").write_text("# none yet\n")
    with pytest.raises(DataError, match=r"codes\.txt:1: the list is empty"):
        load_golden_set(folder)
