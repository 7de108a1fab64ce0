"""What raters of a campaign may be shown: texts of stored runs with names of models masked, or records to validate."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.models.catalog import CATALOG
from harness.rating.blinding import mask, names_to_mask
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.rating_plan import PlannedAnswer, PlannedItem
from harness.records.runs import Run
from harness.records.training import TrainingRecord
from harness.store.generations import generations
from harness.store.ledger import Ledger

NO_ANSWER = "(no answer)"


def plan_items(ledger: Ledger, items: Iterable[Item], runs: Mapping[str, Run]) -> dict[str, PlannedItem]:
    """Every item with each run's answer to it, masked, by item id.

    A run that gave no answer has "(no answer)": leaving such items out would spare the system that failed on them.

    Args:
        ledger: Where the generations are.
        items: Golden items as the runs were asked them.
        runs: By the names of their systems.
    """
    names = names_to_mask(runs, [model for run in runs.values() for model in _models(run)])
    answers = {run.run_id: _answers(generations(ledger, run.run_id)) for run in runs.values()}
    return {
        item.item_id: PlannedItem(
            item_hash=item.item_hash,
            turns=_turns(item.input),
            reference=_reference(item),
            answers={
                run_id: _masked(of_run.get((item.item_id, item.item_hash)), names) for run_id, of_run in answers.items()
            },
        )
        for item in items
    }


def plan_golden(items: Iterable[Item]) -> dict[str, PlannedItem]:
    """Golden items to be validated: the reference stands where an answer would."""
    return {
        item.item_id: PlannedItem(
            item_hash=item.item_hash,
            turns=_turns(item.input),
            reference=None,
            answers={"": PlannedAnswer(text=_reference(item) or "", masked=False)},
        )
        for item in items
    }


def plan_records(records: Iterable[TrainingRecord]) -> dict[str, PlannedItem]:
    """Training records to be validated, by `line-<number>`."""
    return {
        f"line-{record.line}": PlannedItem(
            item_hash=record.record_hash,
            turns=_turns(record.prompt),
            reference=None,
            answers={"": PlannedAnswer(text=record.completion, masked=False)},
        )
        for record in records
    }


def _models(run: Run) -> list[str]:
    """Everything that names the model behind a run, and the models that the catalog knows."""
    base, config = run.provenance.get("base_model"), run.system_config
    endpoint = config.get("endpoint")
    named = [config.get("base_model"), config.get("adapter")]
    named += [base.get("name"), base.get("reference")] if isinstance(base, Mapping) else []
    named += [endpoint.get("model")] if isinstance(endpoint, Mapping) else []
    paths = [Path(str(adapter)).name if key == 1 else str(adapter) for key, adapter in enumerate(named) if adapter]
    return [*dict.fromkeys([*paths, run.run_id, *CATALOG])]


def _answers(found: Sequence[Generation]) -> dict[tuple[str, str], str]:
    """The first sample's text, by item id and hash; failed ones are not there."""
    return {(one.item_id, one.item_hash): one.text for one in reversed(found) if one.text is not None}


def _masked(text: str | None, names: Sequence[str]) -> PlannedAnswer:
    if text is None or not text.strip():
        return PlannedAnswer(text=NO_ANSWER, masked=False)
    shown, masked = mask(text, names)
    return PlannedAnswer(text=shown, masked=masked)


def _turns(messages: Iterable[Message]) -> tuple[tuple[str, str], ...]:
    return tuple((message.role, message.content) for message in messages)


def _reference(item: Item) -> str | None:
    return "\nor: ".join(item.references) or None
