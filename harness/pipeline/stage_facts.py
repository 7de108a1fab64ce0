"""What a run's facts tell of the stages of its training, and which stage a point of its curves belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from harness.records.runs import TrainingMetric


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSpan:
    """One stage on the axes of a run's curves, which count on from stage to stage.

    It begins after `steps_before` optimizer steps and `epochs_before` epochs. `facts` are empty until it is over.
    """

    number: int
    steps_before: int
    epochs_before: int
    facts: Mapping[str, object]

    def own_epoch(self, point: TrainingMetric) -> float:
        """The epoch of a point as its stage counts it."""
        return point.epoch - self.epochs_before

    @property
    def sentence(self) -> str:
        """What the stage learned from, and how it went."""
        one = self.facts
        replayed = f" and {one['replayed_records']} replayed" if one["replayed_records"] else ""
        return (
            f"stage {self.number}: {one['path']}, {one['train_records']} records{replayed}, {one['epochs']} of "
            f"{one['epochs_planned']} epochs at learning rate {one['learning_rate']:g}, {one['steps']} steps, best "
            f"validation loss {one['best_validation_loss']:.4f} (epoch {one['best_epoch']:g})"
        )


def stages_done(facts: Mapping[str, object]) -> list[dict[str, object]]:
    """The stages of a run that are over, of a training in several stages: their facts, in order."""
    stages = facts.get("stages")
    return [dict(cast("dict[str, object]", one)) for one in stages] if isinstance(stages, list) else []


def total_of(stages: Sequence[Mapping[str, object]], fact: str) -> int:
    """The sum of a count over stages that are over."""
    return sum(int(cast("int", one[fact])) for one in stages)


def stage_spans(facts: Mapping[str, object]) -> list[StageSpan]:
    """The stages that are over and the one after them; empty for a training in one stage."""
    done = stages_done(facts)
    return [
        StageSpan(
            number=number + 1,
            steps_before=total_of(done[:number], "steps"),
            epochs_before=total_of(done[:number], "epochs"),
            facts=done[number] if number < len(done) else {},
        )
        for number in range(len(done) + 1)
        if done
    ]


def span_of(point: TrainingMetric, spans: Sequence[StageSpan]) -> StageSpan | None:
    """The stage in which a point was measured; None for a training in one stage."""
    return next((span for span in reversed(spans) if point.step > span.steps_before), None)
