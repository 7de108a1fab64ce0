"""Corpora: the passages that a retriever searches."""

from dataclasses import dataclass
from pathlib import Path

from harness.data.fields import LineModel, Text, check_fields
from harness.data.jsonl import raise_problems, scan_jsonl

_MEANT = {
    **dict.fromkeys(("id", "doc_id", "document_id", "key", "_id"), "passage_id"),
    **dict.fromkeys(("name", "heading", "header"), "title"),
    **dict.fromkeys(("content", "contents", "body", "passage", "document", "chunk"), "text"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusPassage:
    """One passage as written. A retriever's find is a `harness.records.generations.Passage`."""

    passage_id: str
    text: str
    title: str | None = None


class _PassageLine(LineModel):
    passage_id: Text
    title: Text | None = None
    text: Text


def load_corpus(path: Path) -> tuple[CorpusPassage, ...]:
    """Reads passages in file order.

    Raises:
        DataError: The file is missing or empty, or passages have problems (an id or a whole passage that stands twice
            among them): all at once.
    """
    lines = scan_jsonl(path)
    problems = list(lines.problems)
    passages: list[CorpusPassage] = []
    line_of_id: dict[str, int] = {}
    line_of_text: dict[tuple[str | None, str], int] = {}
    for line, value in lines.objects:
        checked = check_fields(_PassageLine, value, noun="a passage", synonyms=_MEANT)
        if isinstance(checked, list):
            problems += [(line, problem) for problem in checked]
            continue
        first = line_of_id.setdefault(checked.passage_id, line)
        if first != line:
            again = f'passage_id "{checked.passage_id}" is already used in line {first}. Give each passage its own.'
            problems.append((line, again))
        first = line_of_text.setdefault((checked.title, checked.text), line)
        if first != line:
            problems.append((line, f"the same title and text stand already in line {first}. Keep one of them."))
        passages.append(CorpusPassage(passage_id=checked.passage_id, text=checked.text, title=checked.title))
    if problems:
        raise_problems(path, problems)
    return tuple(passages)
