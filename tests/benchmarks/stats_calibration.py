"""Do the intervals cover what they promise, and do gates pass wrongly no more often? Prints one table a study.

Run by `make bench-stats`. Proportions and pairs of proportions by enumeration, the rest by seeded simulation of the
functions that decisions use; 2,000 samples give a standard error of about 0.5 points.
"""

import time

import numpy as np
from scipy import stats
from stats_measures import (
    bounded,
    bounded_within,
    covered,
    head,
    likely_tables,
    row,
    tango,
    unbounded,
    unless_unvarying,
)
from stats_populations import CLUSTERED, COUNTS, DIFFERENCES, VALUES

from harness.stats.agreement import krippendorff_alpha
from harness.stats.claims import noninferiority, superiority
from harness.stats.clusters import clustered_mean_interval
from harness.stats.intervals import Interval, two_sided_z
from harness.stats.means import bca_interval, student_t_interval
from harness.stats.paired import tango_score
from harness.stats.power import (
    paired_mean_power,
    paired_proportions_power,
    preference_power,
    smallest_detectable_difference_binary,
    smallest_detectable_mean,
    smallest_detectable_win_rate,
)
from harness.stats.preference import bradley_terry, win_rate_interval
from harness.stats.proportions import clopper_pearson_interval, modified_wilson_interval, wilson_interval
from harness.stats.raters import rater_interval, two_way
from harness.stats.sample_size import noninferiority_items_binary
from harness.stats.seeds import seed_interval

SAMPLES = 2_000
BOOTSTRAP_SAMPLES = 1_000
POLICIES = 20_000
SEED = 20_261_121


def main() -> None:
    """Runs every study, each with its own seed, so that one can be changed without moving the others."""
    started = time.perf_counter()
    studies = (
        one_proportion,
        paired_proportions,
        one_sample,
        clusters,
        power,
        policies,
        agreement,
        seeds,
        raters,
        preferences,
    )
    for study in studies:
        study(np.random.default_rng(SEED))
    print(f"\n{time.perf_counter() - started:.0f} s in all.")  # noqa: T201


def one_proportion(_: np.random.Generator) -> None:
    """Exact coverage of a proportion's intervals over 1,999 values of p."""
    head("One proportion, exact", ["interval", "n", "mean coverage", "lowest", "at p", "lowest, p 0.05 to 0.95"])
    grid = np.arange(1, 2000) / 2000
    for method in (wilson_interval, modified_wilson_interval, clopper_pearson_interval):
        for n in (50, 100, 1000):
            found = [method(successes, n) for successes in range(n + 1)]
            low, high = np.array([one.low for one in found]), np.array([one.high for one in found])
            inside = (low <= grid[:, None]) & (grid[:, None] <= high)
            chances = stats.binom.pmf(np.arange(n + 1), n, grid[:, None])
            coverage = (chances * inside).sum(axis=1)
            worst, middle = int(np.argmin(coverage)), (grid >= 0.05) & (grid <= 0.95)
            name = method.__name__.removesuffix("_interval")
            row(name, n, coverage.mean(), coverage[worst], f"{grid[worst]:.4f}", coverage[middle].min())


def paired_proportions(_: np.random.Generator) -> None:
    """Exact coverage of Tango's interval, and how often a superiority gate passes without any difference."""
    columns = [
        "n",
        "mean coverage",
        "lowest",
        "at (won, lost)",
        "false pass, mean",
        "highest",
        "highest, discordance <= 0.5",
    ]
    head("Paired pass/fail (Tango), exact", columns)
    z = two_sided_z(0.95)
    for n in (20, 50, 100, 500):
        coverage: dict[tuple[float, float], float] = {}
        for won in np.arange(0.01, 0.5, 0.03):
            for lost in np.arange(0.01, 0.5, 0.03):
                b, c, chances = likely_tables(n, float(won), float(lost))
                inside = np.abs(tango_score(b, c, n, float(won - lost))) <= z
                coverage[float(won), float(lost)] = float((chances * inside).sum())
        worst = min(coverage, key=lambda pair: coverage[pair])
        wrong = np.array([paired_proportions_power(n, 0.0, discordance / 100) for discordance in range(1, 101)])
        where = f"({worst[0]:.2f}, {worst[1]:.2f})"
        row(n, np.mean(list(coverage.values())), coverage[worst], where, wrong.mean(), wrong.max(), wrong[:50].max())


def one_sample(generator: np.random.Generator) -> None:
    """Coverage for means of values, and of paired differences, of independent items: `default` is what is chosen."""
    head("Means of independent items", ["items", "n", "Student t", "BCa", "default", "width, default / t"])
    for name, population in {**VALUES, **DIFFERENCES, **COUNTS}.items():
        for n in (20, 50, 200):
            draws = np.clip(population.draw(generator, (SAMPLES, n)), population.minimum, population.maximum)
            t, t_width = covered(draws, population, lambda sample: unless_unvarying(sample, student_t_interval))
            bca = float("nan")
            if n == 50:
                resampled = draws[:BOOTSTRAP_SAMPLES]
                bca, _ = covered(resampled, population, lambda sample: unless_unvarying(sample, bca_interval))
            if np.isfinite(population.maximum):
                default, width = covered(draws, population, bounded(population))
            else:
                default, width = covered(draws, population, unbounded)
            row(name, n, t, bca, default, f"{width / t_width:.2f}")


def clusters(generator: np.random.Generator) -> None:
    """Coverage of cluster-robust intervals, with clusters of 5 items, and of 1 and 9 in turn."""
    head(
        "Items in clusters",
        ["items", "clusters", "cluster t, equal", "score, equal", "cluster t, 1 or 9", "score, 1 or 9"],
    )
    for name, population in CLUSTERED.items():
        for count in (10, 20, 40):
            cells: list[float] = []
            for sizes in ([5] * count, [1, 9] * (count // 2)):
                labels = np.repeat(np.arange(count), sizes).tolist()
                kept = (np.arange(max(sizes)) < np.array(sizes)[:, None]).ravel()
                draws = np.stack(
                    [population.draw(generator, (count, max(sizes))).ravel()[kept] for _ in range(SAMPLES // 2)]
                )

                def robust(sample: list[float], labels: list[int] = labels) -> Interval:
                    if len(set(sample)) == 1:
                        return Interval(low=sample[0], high=sample[0], confidence=0.95)
                    return clustered_mean_interval(sample, labels)

                cells += [
                    covered(draws, population, robust)[0],
                    covered(draws, population, bounded(population, labels))[0],
                ]
            row(name, count, *cells)


def power(generator: np.random.Generator) -> None:
    """How often gates pass at the smallest detectable difference: promised, and measured on drawn items."""
    head("Power", ["comparison", "n", "true difference", "promised", "measured"])
    for n, discordance in ((50, 0.2), (50, 0.4), (200, 0.2)):
        difference = smallest_detectable_difference_binary(n, discordance) or 0.0
        shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
        drawn = generator.multinomial(n, shares, POLICIES)
        passed = np.mean([superiority(*tango(int(b), int(c), n)) == "pass" for b, c, _ in drawn])
        promised = paired_proportions_power(n, difference, discordance)
        row(f"pass/fail, discordance {discordance}", n, f"{difference:.3f}", promised, passed)
    items = noninferiority_items_binary(0.05, 0.1) or 0
    drawn = generator.multinomial(items, [0.05, 0.05, 0.9], POLICIES)
    passed = np.mean([noninferiority(*tango(int(b), int(c), items), margin=0.05) == "pass" for b, c, _ in drawn])
    row(
        "pass/fail, non-inferior by 0.05, discordance 0.1",
        items,
        "0.000",
        paired_proportions_power(items, 0, 0.1, margin=0.05),
        passed,
    )
    for n, sd, widest in ((50, 1.1, None), (50, 1.1, 4.0), (50, 0.3, 1.0), (200, 0.1, 1.0)):
        difference = smallest_detectable_mean(n, sd, widest=widest)
        limit = 1e6 if widest is None else widest
        draws = np.clip(generator.normal(difference, sd, (SAMPLES, n)), -limit, limit)
        method = student_t_interval if widest is None else bounded_within(widest)
        passed = np.mean([superiority(one.low, one.high) == "pass" for one in map(method, draws.tolist())])
        promised = 0.8 if widest is not None else paired_mean_power(n, difference, sd)
        row(
            f"mean, sd {sd}, " + ("t" if widest is None else f"score, at most {widest:g}"),
            n,
            f"{difference:.3f}",
            promised,
            passed,
        )
    rate = smallest_detectable_win_rate(100, 0.2) or 0.0
    drawn = generator.multinomial(100, [rate - 0.1, 1 - rate - 0.1, 0.2], POLICIES)
    passed = np.mean([win_rate_interval(int(won), int(lost), int(tied)).low > 0.5 for won, lost, tied in drawn])
    row("win rate, 20 % ties", 100, f"{rate:.3f}", preference_power(100, rate, 0.2), passed)


def policies(generator: np.random.Generator) -> None:
    """How often a policy whose every gate must pass passes, where it should not."""
    head("A whole policy: false passes", ["what is true", "nominal, at most", "measured"])
    nothing, at_margin, far_better = [0.1, 0.1, 0.8], [0.09, 0.11, 0.8], [0.2, 0.02, 0.78]
    cases = {
        "no effect: two superiority gates (n 100), two non-inferiority gates at margin 0.02 (n 1,000)": (
            [(nothing, 100), (nothing, 100)],
            [(at_margin, 1000), (at_margin, 1000)],
        ),
        "one superiority gate without effect, all else far on the good side": (
            [(nothing, 100), (far_better, 100)],
            [(far_better, 1000), (far_better, 1000)],
        ),
        "one non-inferiority gate at its margin, all else far on the good side": (
            [(far_better, 100), (far_better, 100)],
            [(at_margin, 1000), (far_better, 1000)],
        ),
    }
    for name, (superior, inferior) in cases.items():
        passed = np.ones(POLICIES, dtype=bool)
        for shares, n in superior:
            drawn = generator.multinomial(n, shares, POLICIES)
            passed &= np.array([superiority(*tango(int(b), int(c), n)) == "pass" for b, c, _ in drawn])
        for shares, n in inferior:
            drawn = generator.multinomial(n, shares, POLICIES)
            passed &= np.array([noninferiority(*tango(int(b), int(c), n), margin=0.02) == "pass" for b, c, _ in drawn])
        row(name, 0.025, passed.mean())


def agreement(generator: np.random.Generator) -> None:
    """Coverage of alpha's bootstrap interval over units; the truth is alpha of 20,000 units."""
    head(
        "Krippendorff's alpha, ordinal, rubric 1-5", ["raters", "noise (sd, levels)", "true alpha", "units", "coverage"]
    )
    for raters, noise in ((2, 0.5), (2, 1.2), (3, 0.8)):

        def rate(units: int, raters: int = raters, noise: float = noise) -> list[list[float]]:
            truth = generator.normal(3.2, 1.1, (units, 1))
            return np.clip(np.rint(truth + generator.normal(0, noise, (units, raters))), 1, 5).tolist()

        true = krippendorff_alpha(rate(20_000)).value or 0.0
        for units in (30, 50, 100):
            found = [krippendorff_alpha(rate(units)) for _ in range(500)]
            held = [one.low is not None and one.high is not None and one.low <= true <= one.high for one in found]
            row(raters, f"{noise}", f"{true:.3f}", units, np.mean(held))


def seeds(generator: np.random.Generator) -> None:
    """Coverage of the interval over seeds and items; spreads of seeds, items and the rest."""
    head("Several training seeds", ["seeds", "sd of seeds", "sd of items", "sd of the rest", "100 items"])
    for count in (2, 3, 5):
        for of_seeds, of_items, rest in ((0.0, 0.2, 0.2), (0.02, 0.2, 0.2), (0.05, 0.1, 0.2), (0.1, 0.1, 0.1)):
            held = 0
            for _ in range(SAMPLES):
                table = generator.normal(0, rest, (count, 100)) + generator.normal(0, of_items, 100)
                table += generator.normal(0, of_seeds, (count, 1))
                interval = seed_interval(table.tolist())
                held += interval.low <= 0 <= interval.high
            row(count, f"{of_seeds}", f"{of_items}", f"{rest}", held / SAMPLES)


def raters(generator: np.random.Generator) -> None:
    """Coverage where raters and items are samples, raters doing unequal work; beside it items alone as samples."""
    head(
        "Raters and items",
        ["raters", "items", "raters an item", "sd of raters", "both as samples", "items alone"],
    )
    for count, items, each in ((5, 20, 2), (5, 50, 2), (6, 50, 3), (10, 100, 2)):
        work = np.linspace(1, 3, count) / np.linspace(1, 3, count).sum()
        for of_raters in (0.0, 0.2, 0.6):
            held = np.zeros(2)
            for _ in range(SAMPLES // 2):
                whose = np.concatenate([generator.choice(count, each, replace=False, p=work) for _ in range(items)])
                which = np.repeat(np.arange(items), each)
                values = generator.normal(0, 0.6, items)[which] + generator.normal(0, of_raters, count)[whose]
                values += generator.normal(0, 0.8, len(which))
                both = rater_interval(two_way(values.tolist(), which.tolist(), whose.tolist()))
                alone = student_t_interval(values.reshape(items, each).mean(axis=1).tolist())
                held += [one.low <= 0 <= one.high for one in (both, alone)]
            row(count, items, each, f"{of_raters}", *(float(one) for one in held / (SAMPLES // 2)))


def preferences(generator: np.random.Generator) -> None:
    """Coverage of Bradley-Terry strengths of four systems, against their mean and against the weakest."""
    head(
        "Bradley-Terry, four systems",
        ["comparisons of each pair", "against the mean", "against the weakest", "regularised"],
    )
    true = np.array([-1.0, 0.0, 0.2, 0.8])
    names = ("a", "b", "c", "d")
    for games in (10, 30, 100):
        held, regularised = np.zeros(2), 0
        for _ in range(SAMPLES // 4):
            wins: dict[tuple[str, str], float] = {}
            for first in range(4):
                for second in range(first):
                    won = generator.binomial(games, 1 / (1 + np.exp(true[second] - true[first])))
                    wins[names[first], names[second]], wins[names[second], names[first]] = won, games - won
            for place, (reference, base) in enumerate(((None, true.mean()), ("a", true[0]))):
                ranking = bradley_terry(wins, reference=reference)
                regularised += ranking.regularised
                truth = dict(zip(names, true - base, strict=True))
                judged = [one for one in ranking.strengths if one.name != reference]
                held[place] += np.mean([one.low <= truth[one.name] <= one.high for one in judged])
        row(games, *(held / (SAMPLES // 4)), regularised / (SAMPLES // 2))


if __name__ == "__main__":
    main()
