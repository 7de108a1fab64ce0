import numpy as np
import pytest

from harness.data.frames import is_frame, most_before_frame
from harness.data.word_runs import hash_texts, runs_of


@pytest.mark.parametrize(("texts", "most"), [(1, 3), (60, 3), (79, 3), (80, 4), (24_084, 1204)])
def test_a_frame_is_shared_by_more_than_five_percent_and_more_than_three(texts: int, most: int) -> None:
    assert most_before_frame(texts) == most


@pytest.mark.parametrize(("length", "frames"), [(3, [False, False, True]), (13, [False, True, True])])
def test_a_long_run_is_a_frame_from_twenty_one_texts_on(length: int, frames: list[bool]) -> None:
    hashes, shared_by = np.array([1, 2, 3], dtype=np.uint64), np.array([20, 21, 51])
    assert is_frame(hashes, shared_by, texts=1000, templates=(), length=length).tolist() == frames


def test_runs_of_the_prompt_are_frames_however_rare() -> None:
    runs = runs_of(hash_texts([("you", "code", "notes", "daily")]), 3)
    found = is_frame(runs.hashes, np.array([1, 1]), texts=100, templates=["You CODE notes!"], length=3)
    assert found.tolist() == [True, False]
