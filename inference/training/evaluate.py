"""What is measured of a score: discrimination, utility, calibration; intervals come from resampling stays."""
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from folds import FOLDS
from labels import Labels
from utility import Utility, best_threshold, normalised

RESAMPLES = 500
SEED = 7


def interval(values: np.ndarray) -> list[float]:
    """The central 95 %."""
    return [float(v) for v in np.percentile(values, [2.5, 97.5])]


def resampled_stays(labels: Labels) -> np.ndarray:
    """How often each stay is drawn, for each resample: (RESAMPLES, stays)."""
    stays = len(labels.septic)
    return np.random.default_rng(SEED).multinomial(stays, np.full(stays, 1 / stays), size=RESAMPLES).astype(np.float32)


class Discrimination:
    """AUROC with weights; sorts once, so that a resample costs one pass. Ties count half."""

    def __init__(self, score: np.ndarray, y: np.ndarray) -> None:
        self.order = np.argsort(score, kind='stable')
        ordered = score[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.y = y[self.order]

    def auroc(self, weight: np.ndarray) -> float:
        w = weight[self.order].astype(np.float64)
        positive = np.add.reduceat(w * self.y, self.starts)
        negative = np.add.reduceat(w * (1 - self.y), self.starts)
        below = np.cumsum(negative) - negative
        return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def same_hour_auroc(score: np.ndarray, labels: Labels) -> float:
    """AUROC among rows of the same hour since admission, hours weighted by their pairs: what is left once time says nothing."""
    wins = pairs = 0.0
    for hour in np.unique(labels.hour):
        rows = labels.hour == hour
        positives = int(labels.y[rows].sum())
        count = positives * (int(rows.sum()) - positives)
        if count > 0:
            wins += count * roc_auc_score(labels.y[rows], score[rows])
            pairs += count
    return wins / pairs


def cross_predicted(score: np.ndarray, utility: Utility, fold: np.ndarray) -> np.ndarray:
    """Alert or not, each fold by the best threshold of the other folds."""
    predicted = np.empty(len(score), bool)
    for k in range(FOLDS):
        predicted[fold == k] = score[fold == k] >= best_threshold(score, utility, fold != k)
    return predicted


def figures(score: np.ndarray, labels: Labels, utility: Utility, fold: np.ndarray) -> dict:
    """The figures of one out-of-fold score, with 95 % intervals over stays."""
    draws = resampled_stays(labels)
    discrimination = Discrimination(score, labels.y)
    predicted = cross_predicted(score, utility, fold)
    per_stay = [np.bincount(labels.stay, part) for part in (np.where(predicted, utility.positive, utility.negative), utility.negative, utility.best)]
    got, nothing, best = (draws @ part for part in per_stay)
    return {
        'auroc': discrimination.auroc(np.ones(len(score))),
        'aurocInterval': interval(np.array([discrimination.auroc(draw[labels.stay]) for draw in draws])),
        'auprc': float(average_precision_score(labels.y, score)),
        'utility': normalised(utility, predicted),
        'utilityInterval': interval((got - nothing) / (best - nothing)),
        'aurocSameHour': same_hour_auroc(score, labels),
        'rowsAlerted': float(predicted.mean()),
    }


def calibration_figures(probability: np.ndarray, y: np.ndarray) -> dict:
    """Expected calibration error over ten bins of equal mass, slope and intercept of the logit, observed over expected."""
    bins = np.array_split(np.argsort(probability, kind='stable'), 10)
    gaps = [abs(float(y[b].mean()) - float(probability[b].mean())) * len(b) for b in bins]
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    logit = np.log(clipped / (1 - clipped))
    model = LogisticRegression(C=1e9).fit(logit[:, None], y)
    return {'ece': sum(gaps) / len(y), 'slope': float(model.coef_[0, 0]), 'intercept': float(model.intercept_[0]), 'observedOverExpected': float(y.sum() / probability.sum())}
