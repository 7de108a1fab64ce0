"""Regression tasks: lm-eval's own prompts over the shipped data, or any task that lm-eval knows by name."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks.hellaswag.utils import preprocess

from harness.config.regression import StratumKey, SuiteTask
from harness.evaluation.regression_data import read_hellaswag, read_mmlu
from harness.evaluation.regression_groups import passage_groups
from harness.evaluation.regression_lm import quiet_lm_eval
from harness.evaluation.regression_named import load_named
from harness.evaluation.regression_subset import draw_subset
from harness.evaluation.regression_template import describe_template
from harness.hashing import content_hash
from harness.records.regression import RegressionItem
from harness.records.scores import Metric

# Validation rows shown by few-shot HellaSwag: drawn once by a seeded hash among rows whose `source_id` stands once, so
# that nothing scored shares a source with a shot; seven from WikiHow and three from ActivityNet, as in the whole set,
# with the right ending in each position two or three times.
HELLASWAG_SHOT_ROWS = (9620, 6625, 8367, 6129, 9654, 4916, 942, 3918, 960, 3018)

_MMLU_TEXT = "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\nD. {{choices[3]}}\nAnswer:"
_ACCURACIES = [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]
_MMLU_ACC = Metric(
    name="regression/mmlu/acc",
    kind="binary",
    chance=0.25,
    description="MMLU: the right letter is the likeliest of A, B, C, D",
)
_HELLASWAG_METRICS = (
    Metric(
        name="regression/hellaswag/acc_norm",
        kind="binary",
        chance=0.25,
        description="HellaSwag: the true ending has the highest log-likelihood per character",
    ),
    Metric(
        name="regression/hellaswag/acc",
        kind="binary",
        chance=0.25,
        description="HellaSwag: the true ending has the highest log-likelihood",
    ),
    Metric(
        name="regression/hellaswag/loglik_per_byte",
        kind="graded",
        minimum=None,
        maximum=None,
        description="General text: log-likelihood of HellaSwag's true ending given its context, in nats per UTF-8 byte",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegressionTask:
    """A task ready to be asked.

    `items` are those to be scored, out of `whole_items`. `parts` are the lm-eval tasks that ask them, by name.
    `metrics` are named `regression/<name>/<value>`; each carries the chance level where it is known.
    `template_sha256` covers how items are asked: template, description, delimiters, shots. `prefixes` gives what stands
    before the question of every item of a part (description and shots), for parts where that is the same for all.
    """

    name: str
    shots: int
    metrics: tuple[Metric, ...]
    template_sha256: str
    items: tuple[RegressionItem, ...]
    whole_items: int
    parts: Mapping[str, Any]
    prefixes: Mapping[str, str]

    @property
    def is_subset(self) -> bool:
        """Whether items are left out; shots that are items do not count."""
        return len(self.items) < self.whole_items

    @property
    def items_sha256(self) -> str:
        """Hash of ids and hashes of the items, in order."""
        return content_hash([[item.item_id, item.item_hash] for item in self.items])


def load_task(entry: SuiteTask, *, folder: Path | None = None) -> RegressionTask:
    """Builds the task that a suite's entry names; nothing is written to a cache.

    Args:
        folder: Where the data of `mmlu` and `hellaswag` is; the shipped data by default.

    Raises:
        DataError: A data file is missing or is not the one that was shipped.
        EvaluationError: lm-eval does not know the task, its data cannot be had, or the subset is larger than the task.
    """
    with quiet_lm_eval():
        match entry.task:
            case "mmlu":
                task, answers = _mmlu(entry.shots, folder)
            case "hellaswag":
                task, answers = _hellaswag(entry.shots, folder)
            case _:
                task, answers = _named(entry), {}
    if entry.subset is None:
        return task
    keys = entry.subset.stratify_by
    strata = {item.item_id: _stratum(item, keys, answers) for item in task.items}
    chosen = draw_subset(strata, items=entry.subset.items, seed=entry.subset.seed)
    return replace(task, items=tuple(item for item in task.items if item.item_id in chosen))


def _stratum(item: RegressionItem, keys: Sequence[StratumKey], answers: Mapping[str, int]) -> Hashable:
    return tuple(answers[item.item_id] if key == "answer" else item.stratum for key in keys)


def _mmlu(shots: int, folder: Path | None) -> tuple[RegressionTask, dict[str, int]]:
    parts: dict[str, Any] = {}
    items: list[RegressionItem] = []
    answers: dict[str, int] = {}
    examples = read_mmlu("dev", folder)
    templates: dict[str, str] = {}
    for subject, documents in read_mmlu("test", folder).items():
        part = f"mmlu_{subject}"
        parts[part] = ConfigurableTask(config=_mmlu_config(subject, shots, documents, examples[subject]))
        template = templates[part] = content_hash(describe_template(parts[part]))
        groups = passage_groups([row["question"] for row in documents], [row["choices"] for row in documents])
        for index, (row, group) in enumerate(zip(documents, groups, strict=True)):
            item_id = f"mmlu/{subject}/{index}"
            answers[item_id] = row["answer"]
            items.append(
                RegressionItem(
                    item_id=item_id,
                    item_hash=content_hash([template, row["question"], row["choices"], row["answer"]]),
                    part=part,
                    index=index,
                    stratum=subject,
                    group=None if group is None else f"mmlu/{subject}/{group}",
                    size_chars=len(row["question"]) + sum(map(len, row["choices"])),
                )
            )
    return RegressionTask(
        name="mmlu",
        shots=shots,
        metrics=(_MMLU_ACC,),
        template_sha256=content_hash(templates),
        items=tuple(items),
        whole_items=len(items),
        parts=parts,
        prefixes={name: _prefix(part, shots) for name, part in parts.items()},
    ), answers


def _mmlu_config(subject: str, shots: int, documents: list[Any], examples: list[Any]) -> dict[str, Any]:
    """lm-eval's `mmlu_<subject>`, version 1.0, over documents in memory."""
    about = subject.replace("_", " ")
    return {
        "task": f"mmlu_{subject}",
        "description": f"The following are multiple choice questions (with answers) about {about}.\n\n",
        "custom_dataset": _in_memory({"test": documents, "dev": examples}),
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "num_fewshot": shots,
        "output_type": "multiple_choice",
        "doc_to_text": _MMLU_TEXT,
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
        "metric_list": _ACCURACIES,
    }


def _hellaswag(shots: int, folder: Path | None) -> tuple[RegressionTask, dict[str, int]]:
    documents = [_with_query(row) for row in read_hellaswag(folder)]
    shown = HELLASWAG_SHOT_ROWS[:shots]
    part = ConfigurableTask(config=_hellaswag_config(shots, documents, [documents[row] for row in shown]))
    template = content_hash(describe_template(part))
    items = [
        RegressionItem(
            item_id=f"hellaswag/{index}",
            item_hash=content_hash([template, row["query"], row["choices"], row["gold"]]),
            part="hellaswag",
            index=index,
            stratum=row["source_id"].partition("~")[0],
            group=f"hellaswag/{row['source_id']}",
            size_chars=len(row["query"]) + sum(map(len, row["choices"])),
        )
        for index, row in enumerate(documents)
        if index not in shown
    ]
    return RegressionTask(
        name="hellaswag",
        shots=shots,
        metrics=_HELLASWAG_METRICS,
        template_sha256=template,
        items=tuple(items),
        whole_items=len(items),
        parts={"hellaswag": part},
        prefixes={"hellaswag": _prefix(part, shots)},
    ), {item.item_id: documents[item.index]["gold"] for item in items}


def _with_query(row: dict[str, Any]) -> dict[str, Any]:
    """What lm-eval's `hellaswag` makes of a document (`process_docs`), with its own preprocessing of text."""
    return row | {
        "query": preprocess(f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}"),
        "choices": [preprocess(ending) for ending in row["endings"]],
        "gold": int(row["label"]),
    }


def _hellaswag_config(shots: int, documents: list[Any], examples: list[Any]) -> dict[str, Any]:
    """lm-eval's `hellaswag`, version 1.0, over documents in memory; its shots are fixed and not drawn."""
    fewshot = {"fewshot_split": "shots", "fewshot_config": {"sampler": "first_n"}} if shots else {}
    return {
        "task": "hellaswag",
        "custom_dataset": _in_memory({"validation": documents, "shots": examples}),
        "validation_split": "validation",
        "num_fewshot": shots,
        "output_type": "multiple_choice",
        "doc_to_text": "{{query}}",
        "doc_to_target": "{{label}}",
        "doc_to_choice": "choices",
        "metric_list": _ACCURACIES,
        **fewshot,
    }


def _prefix(part: ConfigurableTask, shots: int) -> str:
    """lm-eval's own prompt of the first document, less its question: rendering the shots is most of the work."""
    document = part.eval_docs[0]
    prompt, question = str(part.fewshot_context(document, num_fewshot=shots)), str(part.doc_to_text(document))
    return prompt.removesuffix(question)


def _in_memory(splits: Mapping[str, list[Any]]) -> Any:
    """What lm-eval calls for a task's data: nothing is read from a path or written to a cache."""
    return lambda **_: {name: datasets.Dataset.from_list(rows) for name, rows in splits.items() if rows}


def _named(entry: SuiteTask) -> RegressionTask:
    named = load_named(entry.task, entry.shots)
    return RegressionTask(
        name=entry.task,
        shots=entry.shots,
        metrics=named.metrics,
        template_sha256=named.template_sha256,
        items=named.items,
        whole_items=len(named.items),
        parts=named.parts,
        prefixes={},
    )
