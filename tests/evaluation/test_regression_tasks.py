from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants
import lm_eval
import pytest
import yaml
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml
from lm_eval.tasks.hellaswag.utils import process_docs

from harness.config.regression import SuiteTask, load_suite
from harness.errors import EvaluationError
from harness.evaluation.regression_data import read_hellaswag, read_mmlu
from harness.evaluation.regression_named import describe_named
from harness.evaluation.regression_tasks import HELLASWAG_SHOT_ROWS, RegressionTask, load_task
from harness.hashing import content_hash

BUNDLED = Path(lm_eval.__file__).parent / "tasks"


@pytest.fixture(scope="module")
def mmlu() -> RegressionTask:
    return load_task(SuiteTask(task="mmlu", shots=5))


@pytest.fixture(scope="module")
def hellaswag() -> RegressionTask:
    return load_task(SuiteTask(task="hellaswag", shots=0))


@pytest.fixture(scope="module")
def quick() -> list[RegressionTask]:
    return [load_task(entry) for entry in load_suite("quick", beside=Path("/")).tasks]


def test_the_full_suite_has_all_24_084_items_each_once(mmlu: RegressionTask, hellaswag: RegressionTask) -> None:
    ids = [item.item_id for task in (mmlu, hellaswag) for item in task.items]
    assert len(ids) == len(set(ids)) == 24_084
    assert len({item.stratum for item in mmlu.items}) == 57
    assert Counter(item.stratum for item in hellaswag.items) == {"wikihow": 6_799, "activitynet": 3_243}
    assert not mmlu.is_subset


def test_every_accuracy_knows_its_chance_level(mmlu: RegressionTask, hellaswag: RegressionTask) -> None:
    chances = {metric.name: metric.chance for task in (mmlu, hellaswag) for metric in task.metrics}
    assert chances == {
        "regression/mmlu/acc": 0.25,
        "regression/hellaswag/acc": 0.25,
        "regression/hellaswag/acc_norm": 0.25,
        "regression/hellaswag/loglik_per_byte": None,
    }


def test_groups_are_hellaswag_sources_and_mmlu_passages(mmlu: RegressionTask, hellaswag: RegressionTask) -> None:
    assert len({item.group for item in hellaswag.items}) == 8_407
    passages = Counter(item.group for item in mmlu.items if item.group)
    assert min(passages.values()) >= 2
    assert {group.split("/")[1] for group in passages} >= {"high_school_us_history", "high_school_world_history"}


def test_ten_shots_are_items_that_are_not_scored(hellaswag: RegressionTask) -> None:
    task = load_task(SuiteTask(task="hellaswag", shots=10))
    scored = {item.item_id for item in task.items}
    assert {item.item_id for item in hellaswag.items} - scored == {f"hellaswag/{row}" for row in HELLASWAG_SHOT_ROWS}
    assert not {item.group for item in hellaswag.items if item.index in HELLASWAG_SHOT_ROWS} & {
        item.group for item in task.items
    }
    rows = read_hellaswag()
    labels = Counter(rows[row]["label"] for row in HELLASWAG_SHOT_ROWS)
    assert set(labels.values()) == {2, 3}


def test_the_quick_suite_is_a_strict_subset_with_every_subject_source_and_answer(
    quick: list[RegressionTask], mmlu: RegressionTask, hellaswag: RegressionTask
) -> None:
    for part, whole in zip(quick, (mmlu, hellaswag), strict=True):
        assert {item.item_id for item in part.items} < {item.item_id for item in whole.items}
        assert part.is_subset
        assert part.whole_items == len(whole.items)
    assert [len(task.items) for task in quick] == [114, 120]
    subjects = Counter(item.stratum for item in quick[0].items)
    assert (len(subjects), subjects["professional_law"], subjects["anatomy"]) == (57, 12, 1)
    rows = read_hellaswag()
    labels = Counter(rows[item.index]["label"] for item in quick[1].items)
    assert min(labels.values()) >= 28
    assert Counter(item.stratum for item in quick[1].items)["wikihow"] in (80, 81, 82)


def test_the_quick_suite_is_the_same_items_for_ever(quick: list[RegressionTask]) -> None:
    again = [load_task(entry) for entry in load_suite("quick", beside=Path("/")).tasks]
    assert [task.items_sha256 for task in again] == [task.items_sha256 for task in quick]
    ids = [content_hash([item.item_id for item in task.items])[:16] for task in quick]
    assert ids == QUICK_IDS, "the quick suite has changed: its scores cannot be held against earlier ones any more"


def test_an_item_asked_with_other_shots_is_another_item(mmlu: RegressionTask, quick: list[RegressionTask]) -> None:
    hashes = {item.item_id: item.item_hash for item in mmlu.items}
    assert all(hashes[item.item_id] != item.item_hash for item in quick[0].items)
    assert mmlu.template_sha256 != quick[0].template_sha256


def test_the_templates_are_those_of_all_57_bundled_mmlu_tasks(mmlu: RegressionTask) -> None:
    shared = yaml.safe_load((BUNDLED / "mmlu/default/_default_template_yaml").read_text())
    for name, part in mmlu.parts.items():
        bundled = yaml.safe_load((BUNDLED / f"mmlu/default/{name}.yaml").read_text())
        assert part.config.description == bundled["description"]
        for key in ("doc_to_text", "doc_to_choice", "doc_to_target", "output_type", "fewshot_split", "test_split"):
            assert part.config[key] == shared[key]
        assert part.fewshot_cfg.sampler == shared["fewshot_config"]["sampler"]


def requests_of(task: RegressionTask, index: int, part: str) -> list[tuple[str, str]]:
    document = task.parts[part].eval_docs[index]
    context = task.prefixes[part] + task.parts[part].doc_to_text(document)
    return [request.args for request in task.parts[part].construct_requests(doc=document, ctx=context)]


def bundled_requests(task: ConfigurableTask, index: int, shots: int) -> list[tuple[str, str]]:
    document = task.eval_docs[index]
    context = task.fewshot_context(document, num_fewshot=shots)
    return [request.args for request in task.construct_requests(doc=document, ctx=context)]


@pytest.mark.parametrize("subject", ["anatomy", "high_school_us_history", "moral_scenarios"])
def test_mmlu_requests_and_documents_are_those_of_lm_eval(mmlu: RegressionTask, subject: str) -> None:
    splits = {"test": read_mmlu("test")[subject], "dev": read_mmlu("dev")[subject]}
    bundled = load_bundled("mmlu/default", f"mmlu_{subject}", splits)
    for index in (0, 1, 17, 99):
        assert requests_of(mmlu, index, f"mmlu_{subject}") == bundled_requests(bundled, index, 5)
        assert mmlu.parts[f"mmlu_{subject}"].eval_docs[index] == bundled.eval_docs[index]


def test_hellaswag_requests_and_documents_are_those_of_lm_eval(hellaswag: RegressionTask) -> None:
    rows = read_hellaswag()[:300]
    bundled = load_bundled("hellaswag", "hellaswag", {"train": rows[:1], "validation": rows})
    for index in range(0, 300, 7):
        assert requests_of(hellaswag, index, "hellaswag") == bundled_requests(bundled, index, 0)
        assert list(hellaswag.parts["hellaswag"].eval_docs[index].items()) == list(bundled.eval_docs[index].items())


def test_ten_shot_prompts_are_what_lm_eval_makes_of_the_ten_shots() -> None:
    ours = load_task(SuiteTask(task="hellaswag", shots=10))
    rows = read_hellaswag()
    part = ours.parts["hellaswag"]
    shots = process_docs(datasets.Dataset.from_list([rows[row] for row in HELLASWAG_SHOT_ROWS]))
    expected = "".join(f"{shot['query']} {shot['choices'][shot['gold']]}\n\n" for shot in shots)
    assert ours.prefixes["hellaswag"] == expected
    assert requests_of(ours, 3, "hellaswag") == bundled_requests(part, 3, 10)


def load_bundled(folder: str, name: str, splits: dict[str, list[Any]]) -> Any:
    data = {split: datasets.Dataset.from_list(rows) for split, rows in splits.items()}
    config = load_yaml(BUNDLED / folder / f"{name}.yaml")
    return ConfigurableTask(config={**config, "custom_dataset": lambda **_: data})


def test_a_task_that_needs_a_hub_says_so_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        EvaluationError, match=r"task arc_easy needs its data from the Hugging Face hub.*Connect to the"
    ):
        load_task(SuiteTask(task="arc_easy", shots=0))


def test_a_task_nobody_knows_names_the_nearest() -> None:
    with pytest.raises(
        EvaluationError, match='"arc_eazy" is neither mmlu, hellaswag nor a task of lm-eval; did you mean'
    ):
        load_task(SuiteTask(task="arc_eazy", shots=0))


def test_a_task_of_lm_eval_gets_items_metrics_and_a_chance_level() -> None:
    rows = [{"q": f"question {index}", "options": ["yes", "no", "perhaps"], "label": index % 3} for index in range(6)]
    task = ConfigurableTask(
        config={
            "task": "own",
            "custom_dataset": lambda **_: {"test": datasets.Dataset.from_list(rows)},
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "{{q}}",
            "doc_to_choice": "options",
            "doc_to_target": "label",
        }
    )
    named = describe_named("own", {"own": task}, shots=2)
    assert [item.item_id for item in named.items] == [f"own/{index}" for index in range(6)]
    assert len({item.item_hash for item in named.items}) == 6
    assert {metric.name: metric.chance for metric in named.metrics} == {
        "regression/own/acc": pytest.approx(1 / 3),
        "regression/own/acc_norm": pytest.approx(1 / 3),
    }
    assert describe_named("own", {"own": task}, shots=0).template_sha256 != named.template_sha256


QUICK_IDS = ["c9153b36953aed42", "fb9b78db2b991d53"]
