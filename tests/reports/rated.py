"""Simulated raters on a campaign, without a browser: some strict, some careless, so that the owner has to look."""

import random
import time
from collections.abc import Sequence

from harness.pipeline import rate
from tests.browser.campaigns import Opened


def rate_all(campaign: Opened, raters: Sequence[str] = ("Ada", "Ben", "Cleo"), *, most: int = 1000) -> int:
    """Lets everybody rate until nothing is left, or `most` screens each; returns how many screens were judged."""
    tokens = {name: campaign.token(name) for name in raters}
    draw, judged, revision = random.Random(11), 0, time.time_ns() // 1_000_000
    for name, token in tokens.items():
        for _ in range(most):
            screen = rate.screen(campaign.home, token)
            if screen.assignment_id is None:
                break
            revision += 1
            event = {
                "id": f"{screen.assignment_id}:{revision}",
                "aid": screen.assignment_id,
                "type": "judgement",
                "rev": revision,
                "seconds": draw.uniform(8, 30),
                "stage": screen.stage,
                "answer": _answer(screen.kind, name, draw, screen.answers[0].text),
            }
            assert rate.record(campaign.home, token, [event]).acknowledged == (event["id"],)
            judged += 1
    return judged


def _answer(kind: str | None, rater: str, draw: random.Random, text: str) -> dict[str, object]:
    match kind:
        case "rubric":
            good = 2 + len(text) % 4  # every rater sees the same answer as good or bad
            level = min(max(good + draw.choice([-1, 0, 0, 0, 1]) - (rater == "Cleo"), 1), 5)
            if draw.random() < 0.08:
                level = 6 - level
            levels = {"accuracy": level, "completeness": min(level + draw.choice([0, 0, 1]), 5)}
            form = "pass" if draw.random() < 0.9 else "fail"
            critical = level == 1 and draw.random() < 0.5
            return {"levels": {**levels, "form": form}, "critical_error": critical, "comment": "Dose?" * (level == 1)}
        case "pairwise":
            return {"choice": draw.choice(["left", "left", "right", "tie"])}
        case "validate":
            decision = draw.choice(["accept", "accept", "reject", "correct"])
            return {"decision": decision, "corrected": "A better one" if decision == "correct" else ""}
        case _:
            return {"guess": draw.choice([0, 1, None])}
