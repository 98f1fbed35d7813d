"""From the raw score to a probability of the label: isotonic regression as a few knots."""
import numpy as np
from sklearn.isotonic import IsotonicRegression

from folds import FOLDS

KNOTS_MAX = 64
FLOOR = 1e-5


def knots_of(raw: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots (x rising, y strictly rising, so that ranks survive) of a piecewise linear curve; outside it is constant."""
    isotonic = IsotonicRegression(y_min=FLOOR, y_max=1 - FLOOR, out_of_bounds='clip').fit(raw, y)
    quantiles = np.concatenate([np.linspace(0, 0.9, KNOTS_MAX // 2, endpoint=False), 1 - np.geomspace(0.1, 1e-5, KNOTS_MAX // 2 - 1), [1.0]])
    x = np.unique(np.quantile(raw, quantiles).astype(np.float64))
    # Each knot takes the mean of its neighbourhood: isotonic regression is a staircase, and a knot may hit an edge of it.
    centres = np.concatenate([[x[0]], (x[1:] + x[:-1]) / 2, [x[-1]]])
    fitted = isotonic.predict((centres[1:] + centres[:-1]) / 2)
    risen = np.maximum.accumulate(fitted) + FLOOR * 1e-2 * np.arange(len(x))
    return x, np.minimum(risen, 1.0)


def calibrated(raw: np.ndarray, knots: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.interp(raw, *knots)


def cross_calibrated(raw: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Each fold's probabilities by the knots of the other folds: what the figures of calibration are measured on."""
    out = np.empty(len(raw))
    for k in range(FOLDS):
        held_out = fold == k
        out[held_out] = calibrated(raw[held_out], knots_of(raw[~held_out], y[~held_out]))
    return out
