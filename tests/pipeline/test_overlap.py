import json
from pathlib import Path

import pytest

from harness.cli.output import TerminalProgress
from harness.config.regression import Suite, SuiteTask
from harness.errors import OverlapError
from harness.evaluation.regression_data import read_hellaswag, read_mmlu
from harness.pipeline.overlap import guard, suite_items
from harness.pipeline.prepare import Prepared, prepare, templates_of
from harness.pipeline.run import run_experiment

QUICK = ("regression=quick",)


def _prepared_with(folder: Path, text: str) -> Prepared:
    """The tiny experiment with one more record, in line 25, and a suite."""
    with (folder / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"prompt": text, "completion": "x"}) + "\n")
    return prepare(folder, QUICK)


def _guard(prepared: Prepared) -> int:
    return guard(prepared, list(prepared.experiment.systems.values())).regression_items


def _question_of_mmlu() -> str:
    return read_mmlu("test")["college_medicine"][3]["question"]


def test_a_question_of_mmlu_is_found_recased_and_wrapped(experiment_folder: Path) -> None:
    prepared = _prepared_with(experiment_folder, f"Think well.\n{_question_of_mmlu().upper()}!! Give a letter.")
    with pytest.raises(OverlapError, match=r'train.jsonl:25: item "mmlu/college_medicine/3"') as caught:
        _guard(prepared)
    assert "overlaps regression suite quick" in str(caught.value)


def test_a_context_of_hellaswag_is_found(experiment_folder: Path) -> None:
    prepared = _prepared_with(experiment_folder, f"Go on with this story: {read_hellaswag()[9000]['ctx']}")
    with pytest.raises(OverlapError, match=r'train.jsonl:25: item "hellaswag/9000"'):
        _guard(prepared)


def test_a_short_question_counts_only_with_its_options(experiment_folder: Path) -> None:
    row = read_mmlu("test")["conceptual_physics"][9]
    assert row["question"] == "A wave transfers"
    lettered = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", row["choices"], strict=True))
    prepared = _prepared_with(experiment_folder, "Is it true that a wave transfers energy from place to place?")
    assert _guard(prepared) == 24_084
    with pytest.raises(OverlapError, match="mmlu/conceptual_physics/9"):
        _guard(_prepared_with(experiment_folder, f"Answer this: {row['question']}\n{lettered}"))


def test_nothing_is_read_where_no_system_learns_or_no_suite_is_named(experiment_folder: Path) -> None:
    prepared = _prepared_with(experiment_folder, _question_of_mmlu())
    assert guard(prepared, [prepared.experiment.systems["zero_shot"]]).regression_items == 0
    assert _guard(prepare(experiment_folder)) == 0


def test_nothing_is_run_where_a_record_holds_an_item_of_the_suite(experiment_folder: Path) -> None:
    prepared = _prepared_with(experiment_folder, _question_of_mmlu())
    home = experiment_folder / "home"
    with pytest.raises(OverlapError):
        run_experiment(prepared, home, TerminalProgress())
    assert not home.exists()


@pytest.mark.parametrize("name", ["icd10_coding", "financial_analysis", "domain_routing"])
def test_the_shipped_domains_overlap_no_regression_item(name: str) -> None:
    assert _guard(prepare(Path(name))) == 24_084


def test_tasks_of_other_names_have_no_rows_here() -> None:
    assert suite_items(Suite(name="own", description="", tasks=(SuiteTask(task="arc_easy", shots=0),))) == []


def test_templates_are_what_stands_around_an_item(experiment_folder: Path) -> None:
    said = templates_of(prepare(experiment_folder, ('prompt.template="Say it: {input} now"',)).experiment)
    assert said == sorted(["Say it: ", " now", "Answer with a colour.", "Reference passages:\n"])
