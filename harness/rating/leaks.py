"""Whether raters could tell the fine-tuned system: what they guessed at the end, and what length alone gives away."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.rating.current import Judgement
from harness.stats.intervals import Interval
from harness.stats.proportions import clopper_pearson_interval

TELLING_RATIO = 1.5  # of the longest mean length over the shortest
TELLING_SHARE = 0.2  # of items, above chance


@dataclass(frozen=True, kw_only=True, slots=True)
class Guesses:
    """Answers to the closing question.

    `right` of `guessed` named a fine-tuned system; `cannot_tell` said so. `chance` is what guessing gives, `interval`
    that of the share of right guesses (Clopper and Pearson, 95 %), None without a guess. `sentence` says it.
    """

    right: int
    guessed: int
    cannot_tell: int
    chance: float
    interval: Interval | None
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lengths:
    """What the length of answers gives away.

    `mean` is by run, in characters. `share` of `items` have the fine-tuned answer as the longest (or the shortest,
    whichever is more often: `end`); `chance` is what that would be if length told nothing. `ratio` is the longest mean
    over the shortest. `sentence` names no system.
    """

    mean: Mapping[str, float]
    ratio: float | None
    end: str | None
    share: float | None
    chance: float | None
    items: int
    sentence: str

    @property
    def is_telling(self) -> bool:
        """Whether a rater could have made something of it: lengths that differ by half, or that tell the tuned one."""
        if self.share is not None and self.chance is not None and self.share - self.chance >= TELLING_SHARE:
            return True
        return len(self.mean) > 1 and (self.ratio is None or self.ratio >= TELLING_RATIO)


def guesses(judgements: Sequence[Judgement], tuned: Collection[str]) -> Guesses | None:
    """What raters thought was fine-tuned.

    Args:
        judgements: Current ones.
        tuned: Ids of the runs that were.

    Returns:
        None where no closing question was answered, or none or all of the systems are fine-tuned.
    """
    closing = [one for one in judgements if one.assignment.kind == "closing"]
    shares = [
        sum(run_id in tuned for run_id in one.assignment.run_ids) / len(one.assignment.run_ids) for one in closing
    ]
    if not closing or max(shares) == 0 or min(shares) == 1:
        return None
    named = [one for one in closing if isinstance(one.event.answer.get("guess"), int)]
    right = sum(one.assignment.run_ids[int(str(one.event.answer["guess"]))] in tuned for one in named)
    chance = sum(shares) / len(shares)
    interval = clopper_pearson_interval(right, len(named)) if named else None
    return Guesses(
        right=right,
        guessed=len(named),
        cannot_tell=len(closing) - len(named),
        chance=chance,
        interval=interval,
        sentence=_guess_sentence(right, len(named), len(closing) - len(named), chance, interval),
    )


def lengths(characters: Mapping[str, Mapping[str, int]], tuned: Collection[str]) -> Lengths:
    """What the length of the answers gives away.

    Args:
        characters: Of each answer, by run and item.
        tuned: Ids of the runs that were fine-tuned.
    """
    mean = {run_id: sum(found.values()) / len(found) for run_id, found in characters.items() if found}
    ratio = max(mean.values()) / min(mean.values()) if mean and min(mean.values()) > 0 else None
    lead = (
        "" if ratio is None or len(mean) < 2 else f"The longest answers are {ratio:.1f} times as long as the shortest"
    )
    every = {item_id for found in characters.values() for item_id in found}
    shared = sorted(item_id for item_id in every if all(item_id in found for found in characters.values()))
    some = [run_id for run_id in characters if run_id in tuned]
    if len(characters) < 2 or not shared or len(some) in (0, len(characters)):
        sentence = f"{lead} (means by system)." if lead else "There are no lengths to compare."
        return Lengths(mean=mean, ratio=ratio, end=None, share=None, chance=None, items=len(shared), sentence=sentence)
    found = {
        end: sum(_at_end(characters, some, item_id, end) for item_id in shared) / len(shared)
        for end in ("longest", "shortest")
    }
    end = max(found, key=lambda one: found[one])
    chance = len(some) / len(characters)
    return Lengths(
        mean=mean,
        ratio=ratio,
        end=end,
        share=found[end],
        chance=chance,
        items=len(shared),
        sentence=f"{lead or 'Some answers are empty'} (means by system); by length alone the fine-tuned one could be "
        f"told on {100 * found[end]:.0f} % of {len(shared)} items, by chance on {100 * chance:.0f} %.",
    )


def _at_end(characters: Mapping[str, Mapping[str, int]], tuned: Sequence[str], item_id: str, end: str) -> float:
    """The chance that a pick among the longest (shortest) answers to an item is a fine-tuned one: ties are shared."""
    of_item = {run_id: found[item_id] for run_id, found in characters.items()}
    extreme = max(of_item.values()) if end == "longest" else min(of_item.values())
    there = [run_id for run_id, length in of_item.items() if length == extreme]
    return sum(run_id in tuned for run_id in there) / len(there)


def _guess_sentence(right: int, guessed: int, cannot_tell: int, chance: float, interval: Interval | None) -> str:
    others = f"; {cannot_tell} could not tell" if cannot_tell else ""
    if interval is None:
        return f"No rater guessed which system was fine-tuned{others}."
    bounds = f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"
    lead = f"{right} of {guessed} raters who guessed named a fine-tuned system ({bounds}; chance {100 * chance:.0f} %)"
    if interval.low > chance:
        meaning = "more than chance: the rating was not wholly blind"
    elif interval.high < chance:
        meaning = "less than chance: they took another for it"
    else:
        meaning = "which chance explains" if guessed >= 5 else "too few to say whether the rating was blind"
    return f"{lead}{others}: {meaning}."
