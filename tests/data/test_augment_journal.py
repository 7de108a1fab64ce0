import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from harness.data.augment_journal import AskedModel, Journal
from harness.errors import DataError
from harness.records.generations import Generation
from harness.records.messages import Message


class Fake:
    """Answers in capitals, one question a batch; an error for what is to fail; notes what it is asked and told."""

    def __init__(self, failing: Collection[str] = ()) -> None:
        self.failing = failing
        self.calls: list[tuple[list[str], int]] = []

    def __call__(
        self, questions: Mapping[str, Sequence[Message]], answered: Collection[str] = ()
    ) -> Iterator[Sequence[Generation]]:
        self.calls.append(([turns[-1].content for turns in questions.values()], len(answered)))
        for name, turns in questions.items():
            text = turns[-1].content
            if name not in answered and text in self.failing:
                yield [Generation(item_id=name, item_hash="", error="too long")]
            elif name not in answered:
                yield [Generation(item_id=name, item_hash="", text=text.upper(), finish_reason="length")]


def _no_bar(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda units: None)


def ask(path: Path, fake: Fake, *texts: str, identity: str = "one") -> list[str | None]:
    model = AskedModel(system="s", identity=identity, described={}, ask=fake)
    questions = [(Message(role="user", content=text),) for text in texts]
    return [reply.text for reply in Journal(path).replies(model, questions, label="l", phase=_no_bar)]


def test_an_answer_is_asked_for_once_and_kept(tmp_path: Path) -> None:
    path, fake = tmp_path / "new" / "journal", Fake()
    assert ask(path, fake, "a", "b", "a") == ["A", "B", "A"]
    assert ask(path, fake, "b", "a") == ["B", "A"]
    assert ask(path, fake, "a", "c") == ["A", "C"]
    # What is asked together is told with what is answered: a system's batches depend on both.
    assert fake.calls == [(["a", "b"], 0), (["a", "c"], 1)]
    assert [json.loads(line)["is_whole"] for line in path.read_text().splitlines()] == [False] * 3


def test_another_model_is_asked_anew(tmp_path: Path) -> None:
    fake = Fake()
    ask(tmp_path / "j", fake, "a")
    ask(tmp_path / "j", fake, "a", identity="two")
    assert len(fake.calls) == 2


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    assert ask(tmp_path / "j", Fake(failing=["a"]), "a", "b") == [None, "B"]
    assert ask(tmp_path / "j", Fake(), "a", "b") == ["A", "B"]


def test_a_question_that_is_never_answered_has_failed(tmp_path: Path) -> None:
    class Silent(Fake):
        def __call__(
            self, questions: Mapping[str, Sequence[Message]], answered: Collection[str] = ()
        ) -> Iterator[Sequence[Generation]]:
            yield from ()

    model = AskedModel(system="s", identity="one", described={}, ask=Silent())
    (reply,) = Journal(tmp_path / "j").replies(model, [(Message(role="user", content="a"),)], label="l", phase=_no_bar)
    assert (reply.text, reply.error) == (None, "no answer came")


def test_a_line_that_a_crash_cut_short_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "j"
    ask(path, Fake(), "a", "b")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    fake = Fake()
    assert ask(path, fake, "a", "b") == ["A", "B"]
    assert fake.calls == [(["a", "b"], 1)]
    assert path.read_bytes() == whole


def test_a_file_that_is_no_journal_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text('{"prompt": "mine"}\n')
    with pytest.raises(DataError, match="j:1: this is no answer kept by"):
        Journal(path)
    assert path.read_text() == '{"prompt": "mine"}\n'


def test_the_bar_counts_what_is_there_already(tmp_path: Path) -> None:
    seen: list[object] = []

    @contextmanager
    def bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
        seen.append((label, total))
        yield seen.append

    ask(tmp_path / "j", Fake(), "a")
    model = AskedModel(system="s", identity="one", described={}, ask=Fake())
    questions = [(Message(role="user", content=text),) for text in "abc"]
    Journal(tmp_path / "j").replies(model, questions, label="words", phase=bar)
    assert seen == [("words", 3), 1, 1, 1]
