"""The overlap guard on 100,000 records against every MMLU and HellaSwag item: prints one row of a table."""

import random
import time

from harness.config.regression import Suite, SuiteTask
from harness.data.normalise import normalised_words
from harness.data.overlap import find_suite_overlaps
from harness.pipeline.overlap import suite_items
from harness.records.messages import Message
from harness.records.training import TrainingRecord

RECORDS = 100_000
PLANTED = 100
WORDS = 60


def main() -> None:
    """Times reading, indexing and searching together, and checks that every planted item is found."""
    tasks = (SuiteTask(task="mmlu", shots=0), SuiteTask(task="hellaswag", shots=0))
    suite = Suite(name="full", description="both shipped tasks", tasks=tasks)
    records = _records([item.texts[0] for item in suite_items(suite)])
    started = time.perf_counter()
    items = suite_items(suite)
    overlaps = find_suite_overlaps(records, items)
    took_s = time.perf_counter() - started
    assert {overlap.line for overlap in overlaps} >= set(range(1, PLANTED + 1))
    print("| records | items | planted | lines found | seconds |\n| --- | --- | --- | --- | --- |")  # noqa: T201
    lines = len({overlap.line for overlap in overlaps})
    print(f"| {RECORDS:,} | {len(items):,} | {PLANTED} | {lines} | {took_s:.1f} |")  # noqa: T201


def _records(texts: list[str]) -> list[TrainingRecord]:
    """Records of 60 words, spliced from pieces of 4 to 7 words of the items; the first hundred hold a whole item."""
    draw = random.Random(17)
    words = [normalised_words(text) for text in texts]
    records: list[TrainingRecord] = []
    for line in range(1, RECORDS + 1):
        spliced: list[str] = []
        while len(spliced) < WORDS:
            source = draw.choice(words)
            first = draw.randrange(max(1, len(source) - 7))
            spliced += source[first : first + draw.randint(4, 7)]
        text = " ".join(spliced)
        if line <= PLANTED:
            text = f"Please answer: {draw.choice(texts).upper()} ({text})"
        message = Message(role="user", content=text)
        records.append(TrainingRecord(prompt=(message,), completion=" ".join(spliced[:5]), line=line))
    return records


if __name__ == "__main__":
    main()
