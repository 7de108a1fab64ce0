"""`harness data audit`: a training file, measured with the tokenizer that will read it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.assets import golden_set_folder
from harness.config.audit import Thresholds
from harness.config.experiment import Experiment, load_experiment
from harness.config.system import Prompt, System
from harness.data.audit import AuditInput, audit
from harness.data.audit_finding import AuditReport
from harness.data.audit_records import AuditedRecord, read_for_audit
from harness.data.golden import load_golden_set
from harness.data.lengths import Length, Lengths
from harness.errors import ConfigError, ModelError

_BATCH = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRequest:
    """What to audit, and against what.

    `experiment` brings base model and prompt; `base_model` is a catalog name, a folder or a hub id, with a plain
    prompt. At most one of the two is given.
    """

    file: Path
    golden: str | None
    experiment: Path | None
    base_model: str | None
    thresholds: Thresholds


def audit_file(request: AuditRequest, say: Callable[[str], None]) -> AuditReport:
    """Audits a training file.

    Raises:
        ConfigError: Both an experiment and a base model are given, or the experiment cannot be used.
        DataError: The file holds no record, or the golden set cannot be used.
        ModelError: The base model's tokenizer cannot be had.
    """
    if request.experiment is not None and request.base_model is not None:
        raise ConfigError("--experiment names a base model already; leave --base-model out, or the experiment.")
    golden = load_golden_set(golden_set_folder(request.golden, beside=Path.cwd())) if request.golden else None
    audited = read_for_audit(request.file)
    lengths = _measure(request, audited.records, say)
    return audit(AuditInput(audited=audited, lengths=lengths, golden=golden), request.thresholds)


def in_words(records: Sequence[AuditedRecord]) -> Lengths:
    """Lengths in words between white space, for want of a tokenizer."""
    return Lengths(
        unit="words",
        of={
            record.line: Length(
                prompt=sum(len(turn.content.split()) for turn in record.record.prompt),
                answer=len(record.answer.split()),
            )
            for record in records
        },
        limit=None,
        measured_by="no tokenizer named",
    )


def _measure(request: AuditRequest, records: Sequence[AuditedRecord], say: Callable[[str], None]) -> Lengths:
    if request.experiment is not None:
        experiment = load_experiment(request.experiment)
        system = _learning_system(experiment)
        asked_for = system.finetune.max_length_tokens if system.finetune else None
        base_model, prompt, trusts = system.base_model, system.prompt, system.trust_remote_code
    elif request.base_model is not None:
        given = request.base_model
        base_model = str(Path(given).expanduser().resolve()) if given.startswith((".", "/", "~")) else given
        prompt, asked_for, trusts = Prompt(), None, False
    else:
        return in_words(records)
    from harness.models.source import find_model
    from harness.models.tokenizer import load_tokenizer

    source = find_model(base_model)
    loaded = load_tokenizer(source, trust_remote_code=trusts, say=say)
    limits = [limit for limit in (asked_for, loaded.context_tokens) if limit is not None]
    return Lengths(
        unit="tokens",
        of=_in_tokens(loaded.tokenizer, prompt, records),
        limit=min(limits, default=None),
        measured_by=f"{source.name}, with the prompt but without shots and passages",
    )


def _learning_system(experiment: Experiment) -> System:
    """The first system that learns, else the first."""
    systems = list(experiment.systems.values())
    return next((system for system in systems if system.finetune is not None), systems[0])


def _in_tokens(tokenizer: Any, prompt: Prompt, records: Sequence[AuditedRecord]) -> dict[int, Length]:
    """Lengths as training would see them, by line; records that the chat template refuses are left out."""
    from harness.models.chat import build_messages, render_example

    rendered: dict[int, tuple[str, str]] = {}
    for record in records:
        messages = build_messages(prompt, record.record.prompt)
        try:
            rendered[record.line] = render_example(tokenizer, messages, record.answer)
        except ModelError:
            continue  # counted by the report
    lines, lengths = list(rendered), dict[int, Length]()
    for start in range(0, len(lines), _BATCH):
        some = lines[start : start + _BATCH]
        asked, answered = ([rendered[line][part] for line in some] for part in (0, 1))
        counts = zip(_counts(tokenizer, asked), _counts(tokenizer, answered), strict=True)
        lengths |= {line: Length(prompt=a, answer=b) for line, (a, b) in zip(some, counts, strict=True)}
    return lengths


def _counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    return [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]
