import shutil
from collections import Counter
from pathlib import Path

import pytest

from harness.errors import DataError, EvaluationError
from harness.evaluation.regression_data import data_folder, read_checked, read_hellaswag, read_mmlu
from harness.evaluation.regression_groups import passage_groups
from harness.evaluation.regression_subset import draw_subset


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(data_folder(), tmp_path / "data"))


def test_mmlu_has_the_counts_its_readme_gives() -> None:
    test, dev, validation = read_mmlu("test"), read_mmlu("dev"), read_mmlu("validation")
    assert len(test) == len(dev) == len(validation) == 57
    assert sum(map(len, test.values())) == 14_042
    assert {len(rows) for rows in dev.values()} == {5}
    assert sum(map(len, dev.values())) == 285
    assert sum(map(len, validation.values())) == 1_531
    assert (len(test["professional_law"]), len(test["anatomy"])) == (1_534, 135)


def test_every_mmlu_item_has_four_choices_and_an_answer_among_them() -> None:
    rows = [row for documents in read_mmlu("test").values() for row in documents]
    assert all(len(row["choices"]) == 4 and row["answer"] in range(4) for row in rows)
    asked = [(row["subject"], row["question"], tuple(row["choices"])) for row in rows]
    assert len(asked) - len(set(asked)) == 27


def test_hellaswag_has_the_counts_and_label_balance_its_readme_gives() -> None:
    rows = read_hellaswag()
    assert len(rows) == 10_042
    assert all(len(row["endings"]) == 4 for row in rows)
    shares = Counter(row["label"] for row in rows)
    assert [round(100 * shares[label] / len(rows), 1) for label in "0123"] == [25.0, 24.7, 25.7, 24.5]


def test_the_data_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(read_checked("mmlu_dev.parquet")) == 285


def test_a_flipped_byte_names_the_file_what_was_seen_and_what_was_expected(copied: Path) -> None:
    file = copied / "mmlu_dev.parquet"
    content = bytearray(file.read_bytes())
    content[5_000] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError) as told:
        read_checked("mmlu_dev.parquet", copied)
    message = str(told.value)
    assert str(file) in message
    assert "expected 688136420d2f1383def3a40878c49c88797a32bb87c8aec6a1c308a071df93ee" in message
    assert "sha256 is" in message
    assert "git checkout" in message


def test_a_missing_file_is_named_with_the_next_step(copied: Path) -> None:
    (copied / "hellaswag_validation.parquet").unlink()
    with pytest.raises(DataError, match=r"hellaswag_validation\.parquet: no such file\. Restore it"):
        read_hellaswag(copied)


def test_missing_checksums_are_an_error_not_a_licence(copied: Path) -> None:
    (copied / "SHA256SUMS").write_text("")
    with pytest.raises(DataError, match=r"no line for mmlu_dev\.parquet"):
        read_mmlu("dev", copied)
    (copied / "SHA256SUMS").unlink()
    with pytest.raises(DataError, match="SHA256SUMS: no such file"):
        read_mmlu("dev", copied)


def test_items_with_a_long_opening_in_common_share_a_group() -> None:
    passage = "This question refers to the following information.\n" + "x" * 300
    questions = ["Who?", f"{passage}\nWhy?", "Short. A?", f"{passage}\nWhen?", "Short. B?"]
    assert passage_groups(questions, [["a"]] * 5) == [None, "1", None, "1", None]


def test_a_repeated_item_shares_a_group_and_the_same_question_with_other_choices_does_not() -> None:
    assert passage_groups(["Q?", "Q?", "Q?"], [["a", "b"], ["c", "d"], ["a", "b"]]) == ["0", None, "0"]


def test_instructions_of_formal_logic_are_no_passages_and_history_passages_are() -> None:
    test = read_mmlu("test")

    def grouped(subject: str) -> int:
        rows = test[subject]
        groups = passage_groups([row["question"] for row in rows], [row["choices"] for row in rows])
        return sum(group is not None for group in groups)

    assert grouped("formal_logic") == 0
    assert grouped("high_school_us_history") > 180


def test_each_stratum_gets_its_proportional_share() -> None:
    strata = {f"item/{index}": "large" if index < 60 else "small" for index in range(90)}
    chosen = draw_subset(strata, items=30, seed=1)
    assert Counter(strata[item_id] for item_id in chosen) == {"large": 20, "small": 10}


def test_a_subset_depends_on_its_seed_and_on_nothing_else() -> None:
    strata = {f"item/{index}": index % 3 for index in range(90)}
    backwards = dict(reversed(strata.items()))
    assert draw_subset(strata, items=10, seed=1) == draw_subset(backwards, items=10, seed=1)
    assert draw_subset(strata, items=10, seed=1) != draw_subset(strata, items=10, seed=2)
    assert draw_subset(strata, items=90, seed=1) == set(strata)


def test_a_subset_larger_than_its_task_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="there are only 2"):
        draw_subset({"a": 0, "b": 0}, items=3, seed=1)
