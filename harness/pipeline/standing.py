"""Policy and golden set as they stand now: on disk where the experiment is at hand, otherwise as the ledger knows."""

from pathlib import Path

from harness.config.experiment import load_experiment
from harness.data.golden import load_golden_set
from harness.decision.promotion import Standing
from harness.errors import RegistryError
from harness.records.runs import Run
from harness.records.verdicts import Verdict
from harness.store.ledger import Ledger
from harness.store.registry import verdicts
from harness.store.runs import runs

FOLDER_RECORDED = "experiment_folder"  # in a run's provenance
IN_LEDGER = "the ledger"


def standing_now(
    ledger: Ledger, verdict: Verdict, run: Run, place: Path | None, overrides: tuple[str, ...] = ()
) -> Standing:
    """What a verdict was made for, as it stands now.

    Args:
        ledger: Asked where no experiment is at hand: the golden set of the newest run on a set of this name, and the
            policy of the newest verdict for the same alias.
        verdict: The verdict.
        run: The run it judges; the folder that its provenance records is read, if it is still there.
        place: Where the experiment is, if the user says so.
        overrides: `key=value` each, as the verdict was made with.

    Raises:
        RegistryError: `place` is another experiment than the verdict's.
        ConfigError: The experiment or its policy cannot be read.
        DataError: Its golden set cannot.
    """
    recorded = run.provenance.get(FOLDER_RECORDED)
    if place is None and isinstance(recorded, str) and (Path(recorded) / "experiment.yaml").is_file():
        place = Path(recorded)
    known = _in_ledger(ledger, verdict, run)
    return known if place is None else _on_disk(known, verdict, place, overrides)


def _on_disk(known: Standing, verdict: Verdict, place: Path, overrides: tuple[str, ...]) -> Standing:
    experiment = load_experiment(place, overrides)
    if experiment.name != verdict.experiment:
        raise RegistryError(
            f"{place} is experiment {experiment.name}, and verdict {verdict.verdict_id} is of {verdict.experiment}. "
            "Name the folder of that one with --experiment, or leave it out."
        )
    policy = experiment.policy
    return Standing(
        policy_name=policy.name if policy else known.policy_name,
        policy_sha256=policy.sha256 if policy else known.policy_sha256,
        golden_sha256=load_golden_set(experiment.golden_set).sha256,
        where=str(place),
    )


def _in_ledger(ledger: Ledger, verdict: Verdict, run: Run) -> Standing:
    of_set = [state.run for state in runs(ledger) if state.run.golden_set == run.golden_set]
    of_alias = verdicts(ledger, alias=verdict.alias) if verdict.alias else [verdict]
    return Standing(
        policy_name=of_alias[-1].policy_name if of_alias else None,
        policy_sha256=of_alias[-1].policy_sha256 if of_alias else None,
        golden_sha256=of_set[0].golden_sha256 if of_set else None,
        where=IN_LEDGER,
    )
