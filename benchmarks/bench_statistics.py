"""Simulate paired evaluations, and print how often intervals and verdicts are right.

    python benchmarks/bench_statistics.py                 # the whole table: some minutes
    python benchmarks/bench_statistics.py --trials 300    # a quick look
    python benchmarks/bench_statistics.py --bootstrap --trials 1000 --kinds continuous skewed lognormal tied

The true difference is zero in the lines `null`, so each `better` there is false. `shown` is the interval of a result;
`method` is the interval before it is extended to zero where the exact test finds no difference. `power` is the share of
`better` if the true difference is the detectable difference that the results of the trials report on average.
With `--bootstrap`, the table compares the interval with the bootstrap-t interval on samples without a true difference.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from ftrun_plugins.evaluation.statistics.comparison import Comparison, compare_paired
from ftrun_plugins.evaluation.statistics.rates import tango_interval

SIZES = (20, 50, 100, 500)
TRIALS = 4000
RESAMPLES = 500  # of the bootstrap-t interval
SEED = 20_261_201
ROWS_PER_CLUSTER = 4  # on average
LOWEST, HIGHEST, MOST_FALSE = 93.0, 97.0, 5.0  # percent


@dataclass(frozen=True)
class Sample:
    base: list[float]
    tuned: list[float]
    clusters: list[int] | None = None


Draw = Callable[[random.Random, int, float], Sample]


def binary(generator: random.Random, rows: int, effect: float) -> Sample:
    """Scores of 0 or 1. The models differ on 30 % of the rows."""
    wins = 0.15 + effect / 2
    base, tuned = [], []
    for _ in range(rows):
        draw = generator.random()
        win, loss = draw < wins, wins <= draw < wins + 0.15 - effect / 2
        same = float(generator.random() < 0.6)
        base.append(0.0 if win else 1.0 if loss else same)
        tuned.append(1.0 if win else 0.0 if loss else same)
    return Sample(base, tuned)


def sparse(generator: random.Random, rows: int, effect: float) -> Sample:
    """Scores of 0 or 1. The models differ on 10 % of the rows, or on as many more as the effect needs."""
    share = max(0.1, abs(effect))
    wins = (share + effect) / 2
    draws = [generator.random() for _ in range(rows)]
    return Sample([float(wins <= draw < share) for draw in draws], [float(draw < wins) for draw in draws])


def continuous(generator: random.Random, rows: int, effect: float) -> Sample:
    """Normal differences with a standard deviation of 1."""
    base = [generator.gauss(0.0, 2.0) for _ in range(rows)]
    return Sample(base, [score + effect + generator.gauss(0.0, 1.0) for score in base])


def skewed(generator: random.Random, rows: int, effect: float) -> Sample:
    """Exponential differences with a standard deviation of 1 and a skewness of 2."""
    base = [generator.lognormvariate(0.0, 1.0) for _ in range(rows)]
    return Sample(base, [score + effect + generator.expovariate(1.0) - 1.0 for score in base])


def lognormal(generator: random.Random, rows: int, effect: float) -> Sample:
    """Log-normal differences: a skewness of 6. Harder than the requirement."""
    mean = 1.6487212707
    return Sample([0.0] * rows, [effect + generator.lognormvariate(0.0, 1.0) - mean for _ in range(rows)])


def tied(generator: random.Random, rows: int, effect: float) -> Sample:
    """Scores of 0, 0.5 or 1, which are equal in most rows."""
    differences = generator.choices((0.0, 0.5, -0.5, 1.0, -1.0), (0.7, 0.1 + effect, 0.1 - effect, 0.05, 0.05), k=rows)
    return Sample([0.5 - value / 2 for value in differences], [0.5 + value / 2 for value in differences])


def clustered(generator: random.Random, rows: int, effect: float) -> Sample:
    """`rows` is the number of clusters of different sizes, in which 60 % of the variance is between clusters."""
    return _clustered(generator, rows, lambda common: effect + common + generator.gauss(0.0, 0.4**0.5))


def clustered_binary(generator: random.Random, rows: int, effect: float) -> Sample:
    """Scores of 0 or 1 in clusters: in half of the clusters, the rows that differ differ in one direction."""
    sample = _clustered(generator, rows, lambda common: common)
    signs = {cluster: generator.random() < 0.5 + effect * 2 for cluster in range(rows)}
    strong = {cluster: generator.random() < 0.5 for cluster in range(rows)}
    base, tuned = [], []
    for cluster in sample.clusters or ():
        differs = strong[cluster] and generator.random() < 0.5
        base.append(float(differs and not signs[cluster]))
        tuned.append(float(differs and signs[cluster]))
    return Sample(base, tuned, sample.clusters)


def _clustered(generator: random.Random, count: int, draw: Callable[[float], float]) -> Sample:
    differences, clusters = [], []
    for cluster in range(count):
        common = generator.gauss(0.0, 0.6**0.5)
        size = 1
        while generator.random() > 1 / ROWS_PER_CLUSTER:
            size += 1
        differences += [draw(common) for _ in range(size)]
        clusters += [cluster] * size
    return Sample([0.0] * len(differences), differences, clusters)


KINDS: dict[str, tuple[Draw, float]] = {  # with the effect of the lines `effect`
    "binary": (binary, 0.1),
    "sparse": (sparse, 0.05),
    "continuous": (continuous, 0.3),
    "skewed": (skewed, 0.3),
    "lognormal": (lognormal, 0.5),
    "tied": (tied, 0.05),
    "clustered": (clustered, 0.3),
    "clustered_binary": (clustered_binary, 0.1),
}
WITHOUT_POWER = ("lognormal", "tied", "clustered_binary")  # their effects are probabilities, or far from normal
MOST_DETECTABLE = {"binary": 0.3}  # larger effects need more rows on which the models differ


@dataclass(frozen=True)
class Line:
    shown: float  # all in percent
    method: float
    better: float
    worse: float
    detectable: float


def simulate(draw: Draw, size: int, effect: float, trials: int, seed: int = SEED) -> Line:
    """Return the shares of trials, and the mean of the detectable differences."""
    generator = random.Random(f"{draw.__name__} {size} {effect} {seed}")  # noqa: S311
    shown = method = 0
    verdicts: dict[str, int] = {}
    detectable = []
    for _ in range(trials):
        sample = draw(generator, size, effect)
        result = compare_paired(sample.base, sample.tuned, clusters=sample.clusters)
        shown += _holds(result.interval, effect)
        method += _holds(_before_extension(result, sample), effect)
        verdicts[result.verdict] = verdicts.get(result.verdict, 0) + 1
        if result.detectable is not None:
            detectable.append(result.detectable)
    better, worse = verdicts.get("better", 0), verdicts.get("worse", 0)
    mean = statistics.fmean(detectable) if detectable else float("nan")
    return Line(*(100 * count / trials for count in (shown, method, better, worse)), mean)


def _holds(interval: tuple[float, float] | None, value: float) -> bool:
    return interval is None or interval[0] - 1e-9 <= value <= interval[1] + 1e-9


def _before_extension(result: Comparison, sample: Sample) -> tuple[float, float] | None:
    if not result.method.startswith("exact"):
        return result.interval
    pairs = list(zip(sample.base, sample.tuned, strict=True))
    wins, losses = sum(b < t for b, t in pairs), sum(b > t for b, t in pairs)
    return tango_interval(wins, losses, len(pairs), result.alpha)


def bootstrap_t_interval(values: list[float], generator: random.Random) -> tuple[float, float] | None:
    """Return the bootstrap-t interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 12.5)."""
    mean, error = statistics.fmean(values), statistics.stdev(values) / len(values) ** 0.5
    if error == 0:
        return None
    ratios = []
    for _ in range(RESAMPLES):
        drawn = generator.choices(values, k=len(values))
        center = sum(drawn) / len(drawn)
        variance = (sum(value * value for value in drawn) - len(drawn) * center * center) / (len(drawn) - 1)
        if variance > 1e-12:  # samples of equal values have no t statistic
            ratios.append((center - mean) / (variance / len(drawn)) ** 0.5)
    ratios.sort()
    low, high = ratios[int(len(ratios) * 0.025)], ratios[int(len(ratios) * 0.975)]
    return mean - high * error, mean - low * error


def compare_with_bootstrap(draw: Draw, size: int, trials: int) -> tuple[float, float]:
    """Return the coverage of this package's interval and of the bootstrap-t interval, in percent."""
    generator = random.Random(f"bootstrap {draw.__name__} {size} {SEED}")  # noqa: S311
    ours = theirs = 0
    for _ in range(trials):
        sample = draw(generator, size, 0.0)
        ours += _holds(compare_paired(sample.base, sample.tuned).interval, 0.0)
        differences = [tuned - base for base, tuned in zip(sample.base, sample.tuned, strict=True)]
        theirs += _holds(bootstrap_t_interval(differences, generator), 0.0)
    return 100 * ours / trials, 100 * theirs / trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--bootstrap", action="store_true", help="Compare with the bootstrap-t interval.")
    options = parser.parse_args()
    if options.bootstrap:
        for kind in options.kinds:
            for size in SIZES[:3]:
                ours, theirs = compare_with_bootstrap(KINDS[kind][0], size, options.trials)
                print(f"{kind:<18}{size:>5}  interval {ours:.1f}  bootstrap-t {theirs:.1f}", flush=True)
        return
    print(f"{'scores':<18}{'n':>5}  {'truth':<7}{'shown':>7}{'method':>8}{'better':>8}{'worse':>7}{'power':>7}")
    for kind in options.kinds:
        draw, effect = KINDS[kind]
        for size in SIZES:
            null = simulate(draw, size, 0.0, options.trials)
            power = ""
            if kind not in WITHOUT_POWER and null.detectable < MOST_DETECTABLE.get(kind, 9.0):
                power = f"{simulate(draw, size, null.detectable, options.trials // 4).better:.1f}"
            _print(kind, size, "null", null, power)
            _print(kind, size, "effect", simulate(draw, size, effect, options.trials), "")


def _print(kind: str, size: int, truth: str, line: Line, power: str) -> None:
    false = max(line.better, line.worse) if truth == "null" else 0.0
    mark = "" if LOWEST <= line.shown <= HIGHEST and false <= MOST_FALSE else "  outside"
    numbers = f"{line.shown:>7.1f}{line.method:>8.1f}{line.better:>8.1f}{line.worse:>7.1f}{power:>7}"
    print(f"{kind:<18}{size:>5}  {truth:<7}{numbers}{mark}", flush=True)


if __name__ == "__main__":
    main()
