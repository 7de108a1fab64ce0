"""What is wrong with an experiment's policy and can be known before anything has been run."""

import re

from harness.config.experiment import BASE, HUMAN
from harness.decision.policy_fit import policy_problems
from harness.errors import ConfigError, nearest, problems_message
from harness.pipeline.prepare import Prepared

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{4,6}.*")


def check_policy(prepared: Prepared) -> None:
    """Checks a policy's baselines, and its limits and names of golden metrics.

    Regression metrics are known only once a suite was evaluated, and `harness gate` checks them then.

    Raises:
        ConfigError: With every problem.
    """
    policy = prepared.experiment.policy
    if policy is None:
        return
    known = [*prepared.experiment.systems, BASE, HUMAN]
    problems = [
        f'against: "{name}" is no system of {prepared.experiment.name}; {nearest(name, known)}'
        for name in policy.baselines
        if name not in known and not _RUN_ID.fullmatch(name)
    ]
    problems += policy_problems(policy, {scorer.metric.name: scorer.metric for scorer in prepared.scorers})
    if problems:
        raise ConfigError(problems_message(f"policy {policy.name}", problems))
