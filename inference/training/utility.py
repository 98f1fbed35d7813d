"""The utility score of the PhysioNet/CinC Challenge 2019, from its published definition.

Reyna et al., Crit Care Med 2020;48:210-217, figure 2. For a septic stay the reward of a positive prediction rises from 0 at 12 h
before onset to 1 at 6 h before, falls to 0 at 3 h after; a missed hour costs up to 2; a false alarm costs 0.05; a true negative
counts 0. The label is 1 from 6 h before onset. Normalised: 0 = never alerts, 1 = the best possible. Times count the rows of a stay.
"""
from dataclasses import dataclass

import numpy as np

EARLY_H, OPTIMAL_H, LATE_H = -12, -6, 3
TRUE_POSITIVE_MAX, FALSE_NEGATIVE_MIN, FALSE_POSITIVE = 1.0, -2.0, -0.05
LABEL_LEAD_H = 6


@dataclass(frozen=True)
class Utility:
    """Of each row: what a positive and what a negative prediction are worth, and what the best choice is."""
    positive: np.ndarray
    negative: np.ndarray
    best: np.ndarray
    hours_to_onset: np.ndarray
    """Row's time minus onset; NaN in a stay without sepsis."""

    @property
    def gain(self) -> np.ndarray:
        return self.positive - self.negative


def utility_of(y: np.ndarray, stay: np.ndarray, position: np.ndarray) -> Utility:
    first = np.full(stay.max() + 1, np.inf)
    np.minimum.at(first, stay[y == 1], position[y == 1])
    since = position - (first[stay] + LABEL_LEAD_H)
    septic = np.isfinite(since)
    since = np.where(septic, since, np.nan)
    rise = TRUE_POSITIVE_MAX / (OPTIMAL_H - EARLY_H) * (since - EARLY_H)
    fall = TRUE_POSITIVE_MAX / (LATE_H - OPTIMAL_H) * (LATE_H - since)
    miss = FALSE_NEGATIVE_MIN / (LATE_H - OPTIMAL_H) * (since - OPTIMAL_H)
    positive = np.where(since <= OPTIMAL_H, np.maximum(rise, FALSE_POSITIVE), np.where(since <= LATE_H, fall, 0.0))
    negative = np.where((since > OPTIMAL_H) & (since <= LATE_H), miss, 0.0)
    positive = np.where(septic, positive, FALSE_POSITIVE)
    negative = np.where(septic, negative, 0.0)
    best = np.where((since >= EARLY_H) & (since <= LATE_H), positive, 0.0)
    return Utility(positive, negative, best, since)


def normalised(utility: Utility, predicted: np.ndarray, weight: np.ndarray | float = 1.0) -> float:
    """The challenge's score of a set of yes-or-no predictions; `weight` repeats rows (for the bootstrap)."""
    nothing = float((utility.negative * weight).sum())
    got = float((np.where(predicted, utility.positive, utility.negative) * weight).sum())
    return (got - nothing) / (float((utility.best * weight).sum()) - nothing)


def best_threshold(score: np.ndarray, utility: Utility, rows: np.ndarray) -> float:
    """The threshold (alert at or above) with the highest utility on `rows`; scores that tie stay together."""
    order = np.argsort(-score[rows], kind='stable')
    sorted_score = score[rows][order]
    total = np.cumsum(utility.gain[rows][order])
    last_of_tie = np.append(sorted_score[1:] != sorted_score[:-1], True)
    return float(sorted_score[np.argmax(np.where(last_of_tie, total, -np.inf))])
