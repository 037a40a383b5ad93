"""Boosted trees for a tail of the load: what no weighted sum of features can say.

Gradient boosting with the quantile loss (Friedman 2001), started from the newsvendor target of about the
same tail, so that the trees only say where that is too high or too low: which of the last minutes
were loud, at which minute of the hour, at what level. Grown anew once a day on the last fourteen days, on
histograms of 32 bins. What decides a tail are the rows near it: the highest, six times as many as lie
beyond, are all kept, and of the others one in eight, counted eightfold. Where fewer than 25 loads lie
beyond the tail there is nothing to learn, and the start is the answer: with steps of ten minutes that
takes nine days at a tail of 2 %.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats
from optimizer.scaling.features import DAY_S, HOUR_S, Clock, carried, decayed_mean, shifted

Matrix = NDArray[np.float64]
Bins = NDArray[np.uint8]
Nodes = NDArray[np.int64]

TREES, DEPTH, RATE = 20, 3, 0.12
LEAST_LEAF = 30.0
BINS = 32
LEAST_BEYOND = 25.0
NEAR, THIN = 6.0, 8.0
BEGIN_S, REGROW_S = 2 * DAY_S, DAY_S


class Growing(NamedTuple):
    """Lead, window, first step and steps between new trees; `level` is the quantile, 0.98 for a tail of 2 %."""

    lead: int
    window: int
    begin: int
    every: int
    level: float


def growing(clock: Clock, tail: float, memory_s: float) -> Growing:
    """How the trees of one tail are grown on a grid."""
    return Growing(
        lead=clock.lead,
        window=clock.steps(memory_s),
        begin=clock.steps(BEGIN_S),
        every=clock.steps(REGROW_S),
        level=1.0 - tail,
    )


def tree_features(load: Floats, said: list[Floats], clock: Clock) -> Matrix:
    """(steps, features): what is already `said` of step t + d, its place on the clock, the last six steps, recent means."""
    seconds = (np.arange(len(load)) + clock.lead) * clock.step_s
    known = carried(load)
    columns = [*said, *(seconds % cycle for cycle in (HOUR_S / 2, HOUR_S, DAY_S))]
    columns += [known, *(shifted(known, lag) for lag in range(1, 6))]
    columns += [decayed_mean(load, max(0.5, span / clock.step_s)) for span in (60.0, 240.0, 900.0, HOUR_S, 4 * HOUR_S)]
    return np.ascontiguousarray(np.nan_to_num(np.column_stack(columns)))


@compiled
def _next(state: int) -> int:
    """A fixed linear congruential sequence below 2^31."""
    return (state * 1103515245 + 12345) % 2147483648


@compiled
def _edges(rows: Matrix, index: Nodes) -> Matrix:
    """Upper edges of all bins but the last, per feature: even in rank."""
    edges = np.empty((rows.shape[1], BINS - 1))
    column = np.empty(len(index))
    for f in range(rows.shape[1]):
        for i in range(len(index)):
            column[i] = rows[index[i], f]
        ranked = np.sort(column)
        for b in range(BINS - 1):
            edges[f, b] = ranked[(b + 1) * len(ranked) // BINS]
    return edges


@compiled
def _binned(rows: Matrix, index: Nodes, edges: Matrix) -> Bins:
    """How many edges lie below each value."""
    bins = np.empty((len(index), len(edges)), dtype=np.uint8)
    for i in range(len(index)):
        for f in range(len(edges)):
            low, high, value = 0, edges.shape[1], rows[index[i], f]
            while low < high:
                middle = (low + high) // 2
                if edges[f, middle] < value:
                    low = middle + 1
                else:
                    high = middle
            bins[i, f] = low
    return bins


@compiled
def _sum(values: Floats) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


@compiled
def _quantile(values: Floats, weights: Floats, level: float) -> float:
    """The smallest value with at least `level` of the weight at or below it."""
    order = np.argsort(values)
    wanted, seen = level * _sum(weights), 0.0
    for i in order:
        seen += weights[i]
        if seen >= wanted:
            return float(values[i])
    return float(values[order[-1]])


@compiled
def _cut(slopes: Floats, masses: Floats, features: Nodes) -> tuple[int, int]:
    """The feature and bin whose cut gains most, from sums of slopes and weights by feature and bin; -1 if none does."""
    best, feature, place = 1e-12, -1, 0
    for f in features:
        here = slice(f * BINS, (f + 1) * BINS)
        slope, mass = _sum(slopes[here]), _sum(masses[here])
        if mass < 2.0 * LEAST_LEAF:
            continue
        uncut = slope**2 / mass
        left_slope, left = 0.0, 0.0
        for b in range(BINS - 1):
            left_slope += slopes[f * BINS + b]
            left += masses[f * BINS + b]
            if left < LEAST_LEAF or mass - left < LEAST_LEAF:
                continue
            gain = left_slope**2 / left + (slope - left_slope) ** 2 / (mass - left) - uncut
            if gain > best:
                best, feature, place = gain, f, b
    return feature, place


class Rows(NamedTuple):
    """What a tree is grown on: the bin of each (row, feature), and each row's slope of the loss and weight."""

    bins: Bins
    slopes: Floats
    weights: Floats


@compiled
def _sum_up(rows: Rows, node: Nodes, features: Nodes, slopes: Floats, masses: Floats) -> None:
    """Adds each row's slope and weight to the sums of its node, feature and bin, which are one index: faster than three."""
    per_node = np.uint64(rows.bins.shape[1] * BINS)
    for i in range(len(node)):
        at_node = np.uint64(node[i]) * per_node
        for f in features:
            at = at_node + np.uint64(f) * np.uint64(BINS) + np.uint64(rows.bins[i, f])
            slopes[at] += rows.slopes[i]
            masses[at] += rows.weights[i]


@compiled
def _grown(rows: Rows, features: Nodes, cuts: Nodes) -> Nodes:
    """One tree on some of the features: `cuts` (inner nodes, feature and bin) is filled; returns each row's leaf."""
    node, per_node = np.zeros(len(rows.bins), dtype=np.int64), rows.bins.shape[1] * BINS
    for depth in range(DEPTH):
        wide = 2**depth
        slopes, masses = np.zeros(wide * per_node), np.zeros(wide * per_node)
        _sum_up(rows, node, features, slopes, masses)
        for k in range(wide):
            here = slice(k * per_node, (k + 1) * per_node)
            cuts[wide - 1 + k, 0], cuts[wide - 1 + k, 1] = _cut(slopes[here], masses[here], features)
        for i in range(len(node)):
            feature, place = cuts[wide - 1 + node[i], 0], cuts[wide - 1 + node[i], 1]
            node[i] = 2 * node[i] + (1 if feature >= 0 and rows.bins[i, feature] > place else 0)
    return node


@compiled
def _leaf(left: Floats, weights: Floats, node: Nodes, leaf: int, level: float) -> float:
    """The quantile of what is left in one leaf, RATE of it; 0 where no row is."""
    values, here, count = np.empty(len(node)), np.empty(len(node)), 0
    for i in range(len(node)):
        if node[i] == leaf:
            values[count], here[count] = left[i], weights[i]
            count += 1
    return RATE * _quantile(values[:count], here[:count], level) if count else 0.0


@compiled
def _boosted(bins: Bins, left: Floats, weights: Floats, level: float, state: int) -> tuple[Nodes, Matrix]:
    """Trees for the `level` quantile of what is `left`: cuts (trees, nodes, 2) and leaf values (trees, leaves)."""
    width, left = bins.shape[1], left.copy()
    cuts = np.empty((TREES, 2**DEPTH - 1, 2), dtype=np.int64)
    values = np.zeros((TREES, 2**DEPTH))
    features, slopes = np.empty(width, dtype=np.int64), np.empty(len(left))
    for tree in range(TREES):
        count = 0
        for f in range(width):  # every other feature or so, so that trees differ
            state = _next(state)
            if state < 1073741824:
                features[count] = f
                count += 1
        for i in range(len(left)):
            slopes[i] = weights[i] * (level if left[i] > 0.0 else level - 1.0)
        node = _grown(Rows(bins, slopes, weights), features[:count], cuts[tree])
        for leaf in range(2**DEPTH):
            values[tree, leaf] = _leaf(left, weights, node, leaf, level)
        for i in range(len(left)):
            left[i] -= values[tree, node[i]]
    return cuts, values


@compiled
def _added(row: Floats, edges: Matrix, cuts: Nodes, values: Matrix) -> float:
    """Sum of the trees' answers for one row of features."""
    total = 0.0
    for tree in range(len(cuts)):
        node = 0
        for depth in range(DEPTH):
            at = 2**depth - 1 + node
            feature, place = cuts[tree, at, 0], cuts[tree, at, 1]
            node = 2 * node + (1 if feature >= 0 and row[feature] > edges[feature, place] else 0)
        total += values[tree, node]
    return total


@compiled
def _known(values: Floats) -> Floats:
    """Those that are not NaN."""
    known, count = np.empty(len(values)), 0
    for value in values:
        if not np.isnan(value):
            known[count] = value
            count += 1
    return known[:count]


@compiled
def _kept(load: Floats, start: Floats, first: int, end: int, how: Growing) -> tuple[Nodes, Floats]:
    """Rows of [first, end) to learn from, with their weights; row i speaks about step i + lead."""
    left = load[first + how.lead : end + how.lead] - start[first:end]
    known = np.sort(_known(left))
    index, weights = np.empty(len(known), dtype=np.int64), np.empty(len(known))
    if not len(known):
        return index, weights
    near = known[int(max(0.0, 1.0 - NEAR * (1.0 - how.level)) * (len(known) - 1))]
    count, state = 0, 99991
    for i in range(end - first):
        if np.isnan(left[i]):
            continue
        state = _next(state)
        if left[i] >= near or state * THIN < 2147483648:
            index[count], weights[count] = first + i, 1.0 if left[i] >= near else THIN
            count += 1
    return index[:count], weights[:count]


@compiled
def tree_tail(load: Floats, rows: Matrix, start: Floats, how: Growing) -> Floats:
    """The load at step t + lead that is exceeded with probability 1 - level (replicas).

    `start[t]` is the target to begin from; it stands where there is too little to learn from. Trees that
    decide from step t on have seen loads up to step t.
    """
    target = start.copy()
    for t in range(how.begin, len(load), how.every):
        index, weights = _kept(load, start, max(0, t - how.lead - how.window), t - how.lead + 1, how)
        if _sum(weights) * (1.0 - how.level) < LEAST_BEYOND:
            continue
        edges, left = _edges(rows, index), np.empty(len(index))
        for i in range(len(index)):
            left[i] = load[index[i] + how.lead] - start[index[i]]
        base = _quantile(left, weights, how.level)
        cuts, values = _boosted(_binned(rows, index, edges), left - base, weights, how.level, 12345)
        for s in range(t, min(len(load), t + how.every)):
            target[s] = start[s] + base + _added(rows[s], edges, cuts, values)
    return target
