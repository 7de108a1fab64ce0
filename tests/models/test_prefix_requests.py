"""What is made of logits: log-likelihoods, and whether the likeliest tokens were those asked for."""

import pytest
import torch

from harness.models import prefix_requests
from harness.models.prefix_requests import Asked, Scored, ScoreRequest, Tally, join_requests

REQUESTS = join_requests(
    [
        ScoreRequest(inputs=[7, 1, 2], targets=[1, 2, 3]),
        ScoreRequest(inputs=[7, 1], targets=[1, 0]),
        ScoreRequest(inputs=[8], targets=[2]),
    ]
)
# Positions 0 to 2 are those of the first request, of which the second asks the first two; position 3 is the third's.
ASKED = [
    (3, Asked(request=2, first=0, first_target=0, count=1)),
    (0, Asked(request=0, first=0, first_target=0, count=3)),
    (0, Asked(request=1, first=0, first_target=0, count=2)),
]
LOGITS = torch.tensor([[0.0, 2.0, 1.0, 0.0], [0.5, 0.0, 3.0, 1.0], [1.0, 0.0, 0.0, 4.0], [1.0, 5.0, 5.0, 0.0]])


@pytest.mark.parametrize("cached_logits", [1, 4, 8, 12, 1 << 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_log_softmax_some_lines_at_a_time_is_that_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, cached_logits: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(prefix_requests, "_CACHED_LOGITS", cached_logits)
    tally = Tally(REQUESTS)
    logits = LOGITS.to(dtype)
    tally.add(ASKED, iter([(0, logits[:3]), (3, logits[3:])]))
    said = LOGITS.log_softmax(-1)
    expected = [said[0, 1] + said[1, 2] + said[2, 3], said[0, 1] + said[1, 0], said[3, 2]]
    finished = tally.finished()
    assert [finished[number].loglikelihood for number in range(3)] == pytest.approx([float(one) for one in expected])
    # Of two largest logits the first counts as the likeliest, as for argmax: token 1, not token 2.
    assert [finished[number].greedy for number in range(3)] == [True, False, False]


def test_the_first_of_several_largest_is_the_likeliest() -> None:
    tally = Tally(join_requests([ScoreRequest(inputs=[8], targets=[1]), ScoreRequest(inputs=[9], targets=[2])]))
    parts = [(number, Asked(request=number, first=0, first_target=0, count=1)) for number in range(2)]
    tally.add(parts, iter([(0, LOGITS[[3, 3]])]))
    value = float(LOGITS[3].log_softmax(-1)[1])
    assert tally.finished() == {
        0: Scored(loglikelihood=pytest.approx(value), greedy=True),
        1: Scored(loglikelihood=pytest.approx(value), greedy=False),
    }


def test_a_request_is_finished_when_all_its_targets_are_scored() -> None:
    tally = Tally(REQUESTS)
    tally.add([(0, Asked(request=0, first=0, first_target=0, count=2))], iter([(0, LOGITS[:2])]))
    assert tally.finished() == {}
    tally.add([(0, Asked(request=0, first=0, first_target=2, count=1))], iter([(0, LOGITS[2:3])]))
    assert list(tally.finished()) == [0]
