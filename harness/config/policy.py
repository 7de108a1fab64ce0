"""A policy: written rules that stored evidence must meet before a system may ship."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import pydantic

from harness.config.gate_rules import metric_problems, rule_problems
from harness.config.named_file import find_named_file
from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml
from harness.errors import ConfigError
from harness.hashing import canonical_json
from harness.records.registry import ALIAS, ALIAS_FORM

Test = Literal["superiority", "noninferiority"]
OnMissing = Literal["inconclusive", "fail", "worst_case"]
SliceKey = Literal["tag", "kind", "difficulty", "group", "subject"]
Method = Literal["modified_wilson", "wilson", "clopper_pearson", "tango", "bounded_score", "student_t", "skew_t", "bca"]

Finite = Annotated[float, pydantic.Field(allow_inf_nan=False)]


class Slices(Strict):
    """Parts of the items, each judged like the whole: "no tag loses more than 10 points".

    `by` says what makes a part: a golden item's `tag`, `kind`, `difficulty` or `group`, or the `subject` of a
    regression item (MMLU's 57). A part with fewer than `min_items` items is not judged, and is named as not judged.
    """

    by: SliceKey
    min_items: int = pydantic.Field(default=1, ge=1)


class Gate(Strict):
    """One rule about one metric. Limits are in the metric's unit: 0.02 is 2 points of a proportion.

    What a rule asks is one of: `require` (a probe passed), `test` against baselines, or `at_least` and `at_most` of the
    candidate's own value. `name` of None is made from the rule. `on_missing` of None is the policy's. `method` of None
    leaves the choice of the interval to `harness.decision.choice`.
    """

    metric: str
    name: str | None = pydantic.Field(default=None, min_length=1)
    require: Literal[True] | None = None
    test: Test | None = None
    against: tuple[str, ...] = ()
    by: Finite | None = None
    worthwhile: Finite | None = None
    margin: Finite | None = None
    at_least: Finite | None = None
    at_most: Finite | None = None
    min_items: int | None = pydantic.Field(default=None, ge=1)
    min_raters: int | None = pydantic.Field(default=None, ge=1)
    min_agreement: Finite | None = pydantic.Field(default=None, gt=-1, le=1)
    slices: Slices | None = None
    method: Method | None = None
    on_missing: OnMissing | None = None

    @pydantic.field_validator("against", mode="before")
    @classmethod
    def _one_name_is_a_list_of_one(cls, against: object) -> object:
        return [against] if isinstance(against, str) else against

    @pydantic.field_validator("slices", mode="before")
    @classmethod
    def _a_key_alone_is_enough(cls, slices: object) -> object:
        return {"by": slices} if isinstance(slices, str) else slices

    @pydantic.model_validator(mode="after")
    def _can_be_judged(self) -> "Gate":
        said = self.model_dump(exclude_none=True, exclude_defaults=True)
        if problems := [*metric_problems(self.metric), *rule_problems(said)]:
            raise ValueError("; ".join(problems))
        return self

    @property
    def rule(self) -> str:
        """What it asks, in a few words, such as `superiority` or `at least 0.9`."""
        limits = [] if self.at_least is None else [f"at least {self.at_least:g}"]
        limits += [] if self.at_most is None else [f"at most {self.at_most:g}"]
        asked = self.test or " and ".join(limits) or "required"
        return f"{asked} by {self.slices.by}" if self.slices else asked


class PolicyFile(Strict):
    """`suites/policies/<name>.yaml` as written.

    `alias` is what a passing verdict may point at (None: any). `confidence` is that of the two-sided intervals. A
    verdict may be used for `valid_for_days` days (None: always). `seed` is that of every resampling. `sealed_risk` is
    the chance of a lucky pass, in (0, 1), above which a verdict says that the sealed items are worn (None: 0.1).
    """

    alias: str | None = None
    confidence: float = pydantic.Field(default=0.95, ge=0.5, lt=1)
    on_missing: OnMissing = "inconclusive"
    gates: tuple[Gate, ...]
    valid_for_days: int | None = pydantic.Field(default=None, ge=1)
    seed: int = pydantic.Field(default=0, ge=0)
    sealed_risk: float | None = pydantic.Field(default=None, gt=0, lt=1)

    @pydantic.field_validator("alias")
    @classmethod
    def _alias_is_one(cls, alias: str | None) -> str | None:
        if alias is not None and not ALIAS.fullmatch(alias):
            raise ValueError(f'"{alias}" is not an alias; write {ALIAS_FORM}')
        return alias

    @pydantic.field_validator("gates")
    @classmethod
    def _each_name_once(cls, gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
        if not gates:
            raise ValueError(
                "is empty; a policy without gates would pass anything. Add one, such as "
                "`- {metric: golden/format_valid, at_least: 0.9}`"
            )
        names = [gate.name for gate in gates if gate.name]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)}: a gate's name stands twice. Give each gate its own")
        return gates


class Policy(PolicyFile):
    """A policy with its name: that of its file, without `.yaml`."""

    name: str

    @property
    def text(self) -> str:
        """The policy as resolved, canonical JSON without its name; what a verdict stores and can be derived from."""
        return canonical_json(self.model_dump(mode="json", exclude={"name"}, exclude_none=True))

    @property
    def sha256(self) -> str:
        """SHA-256 of `text`, 64 hexadecimal digits."""
        return policy_hash(self.text)

    @property
    def gate_names(self) -> tuple[str, ...]:
        """A name for each gate, unique: its own, or `metric rule`, with the baselines or a number where needed."""
        taken = {gate.name for gate in self.gates if gate.name}
        short = [f"{gate.metric} {gate.rule}" for gate in self.gates if not gate.name]
        names: list[str] = []
        for gate in self.gates:
            name = gate.name or f"{gate.metric} {gate.rule}"
            if not gate.name and short.count(name) > 1 and gate.against:
                name = f"{name} against {', '.join(gate.against)}"
            number, numbered = 1, name
            while not gate.name and numbered in taken:
                number += 1
                numbered = f"{name} ({number})"
            taken.add(numbered)
            names.append(numbered)
        return tuple(names)

    @property
    def baselines(self) -> tuple[str, ...]:
        """Every baseline that a gate names, in the order of first appearance."""
        return tuple(dict.fromkeys(name for gate in self.gates for name in gate.against))


def policy_hash(text: str) -> str:
    """SHA-256 of a policy's text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_policy_text(text: str, *, name: str) -> Policy:
    """The policy that a verdict stored.

    Raises:
        ConfigError: The text is not a policy that this version can read.
    """
    try:
        written = PolicyFile.model_validate_json(text)
    except pydantic.ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"the stored text of policy {name} cannot be read: {place}: {first['msg']}. Gate again with the present "
            "policy."
        ) from None
    return _named(written, name)


def load_policy(reference: str, *, beside: Path) -> Policy:
    """Reads a policy.

    Args:
        reference: The name of a policy, looked for as `NAME.yaml` in `beside` and then among the shipped ones; or a
            path (something that ends in `.yaml` or `.yml`), relative to `beside`.
        beside: The experiment's folder.

    Raises:
        ConfigError: There is no such policy, or with every problem of its file.
    """
    file = find_named_file(reference, key="policy", noun="policy", folder="policies", beside=beside)
    return _named(validate(PolicyFile, read_yaml(file)), file.stem)


def _named(written: PolicyFile, name: str) -> Policy:
    return Policy.model_validate({**dict(written), "name": name})
