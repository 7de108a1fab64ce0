import json
from pathlib import Path

import pytest

from harness.config.audit import load_thresholds
from harness.data.audit_finding import AuditReport
from harness.errors import ConfigError, DataError
from harness.pipeline.audit import AuditRequest, audit_file

DEFAULT = load_thresholds("default", beside=Path())


def audited(
    file: Path, *, golden: Path | None = None, experiment: Path | None = None, base_model: str | None = None
) -> AuditReport:
    request = AuditRequest(
        file=file,
        golden=str(golden) if golden else None,
        experiment=experiment,
        base_model=base_model,
        thresholds=DEFAULT,
    )
    return audit_file(request, lambda said: None)


def fact(report: AuditReport, name: str) -> str:
    return dict(report.facts)[name]


def test_without_a_model_lengths_are_words_and_it_is_said(experiment_folder: Path) -> None:
    report = audited(experiment_folder / "train.jsonl")
    assert fact(report, "lengths in words").startswith("median ")
    assert any("--base-model" in note for note in report.notes)
    assert any("--golden" in note for note in report.notes)


def test_an_experiment_brings_tokens_context_and_prompt(experiment_folder: Path, tiny_model_folder: Path) -> None:
    train = experiment_folder / "train.jsonl"
    with_prompt = audited(train, experiment=experiment_folder)
    plain = audited(train, base_model=str(tiny_model_folder))
    assert "512 fit" in fact(with_prompt, "lengths in tokens")
    assert longest(with_prompt) > longest(plain)
    assert not any("words" in note for note in with_prompt.notes)


def longest(report: AuditReport) -> int:
    return int(fact(report, "lengths in tokens").partition("longest ")[2].split()[0].replace(",", ""))


def test_lengths_are_those_of_the_examples_that_training_makes(experiment_folder: Path, tiny: object) -> None:
    from harness.config.experiment import load_experiment
    from harness.data.training import load_training_set
    from harness.models.chat import build_messages
    from harness.models.load import LoadedModel
    from harness.training.examples import encode_examples

    assert isinstance(tiny, LoadedModel)
    prompt = load_experiment(experiment_folder).systems["lora"].prompt
    records = load_training_set(experiment_folder / "train.jsonl").records
    examples = encode_examples(tiny, records, lambda turns: build_messages(prompt, turns), max_length_tokens=None)
    trained_on = max(len(example.input_ids) for example in examples)
    report = audited(experiment_folder / "train.jsonl", experiment=experiment_folder)
    # Training stops at the end mark; the template writes a line break after it.
    assert longest(report) - trained_on in (0, 1)


def test_a_record_beyond_the_context_is_a_problem_at_its_line(experiment_folder: Path) -> None:
    train = experiment_folder / "train.jsonl"
    with train.open("a") as stream:
        stream.write(json.dumps({"prompt": "so long " * 600, "completion": "Colour: red"}) + "\n")
    report = audited(train, experiment=experiment_folder)
    (cut,) = [one for one in report.findings if one.check == "lengths"]
    assert cut.lines == (25,)
    assert "1 would keep nothing of the answer" in cut.sentence
    assert report.fails


def test_a_golden_set_is_held_against_the_file(experiment_folder: Path) -> None:
    train = experiment_folder / "train.jsonl"
    golden = experiment_folder / "golden_sets" / "colours"
    assert "golden_overlap" not in {one.check for one in audited(train, golden=golden).findings}
    with train.open("a") as stream:
        stream.write(json.dumps({"prompt": "Which hue has fresh milk?", "completion": "Colour: white"}) + "\n")
    (found,) = [one for one in audited(train, golden=golden).findings if one.check == "golden_overlap"]
    assert found.lines == (25,)
    assert "item-2" in found.examples[0]


def test_a_template_that_is_missing_gets_the_fallback(
    experiment_folder: Path, tiny_model_folder_without_template: Path
) -> None:
    said: list[str] = []
    request = AuditRequest(
        file=experiment_folder / "train.jsonl",
        golden=None,
        experiment=None,
        base_model=str(tiny_model_folder_without_template),
        thresholds=DEFAULT,
    )
    assert longest(audit_file(request, said.append)) > 0
    assert any("alpaca" in sentence for sentence in said)


def test_what_contradicts_or_is_missing_is_an_error(experiment_folder: Path, tiny_model_folder: Path) -> None:
    train = experiment_folder / "train.jsonl"
    with pytest.raises(ConfigError, match="--base-model"):
        audited(train, experiment=experiment_folder, base_model=str(tiny_model_folder))
    with pytest.raises(DataError, match="no such file"):
        audited(experiment_folder / "nowhere.jsonl")
