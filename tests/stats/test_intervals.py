import math

import pytest

from harness.stats.intervals import two_sided_z
from harness.stats.means import student_t_interval
from harness.stats.proportions import wilson_interval


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.5, math.nan])
def test_a_confidence_outside_zero_and_one_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson_interval(1, 2, confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        student_t_interval([1, 2], confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        two_sided_z(confidence)
