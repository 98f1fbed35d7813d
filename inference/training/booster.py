"""Fits the gradient-boosted trees, and scores each fold by a model that never saw its stays."""
import sys

import numpy as np
import xgboost as xgb

from folds import FOLDS
from utility import Utility

ROUNDS = 450
PARAMETERS = dict(
    objective='binary:logistic', tree_method='hist', max_depth=4, eta=0.05, min_child_weight=50, subsample=0.7,
    colsample_bytree=0.25, reg_lambda=10, max_bin=64, nthread=2, seed=1,
)


def fit(values: np.ndarray, utility: Utility, rows: np.ndarray, rounds: int = ROUNDS) -> xgb.Booster:
    """Trees for the question the utility asks: is an alert worth more than silence at this hour?

    A row's target is the sign of that difference and its weight the size, so the loss spends itself where the challenge's score
    does. What comes out is no probability of sepsis until it is calibrated (calibration.py).
    """
    gain = utility.gain[rows]
    data = xgb.QuantileDMatrix(values[rows], label=(gain > 0).astype(np.float32), weight=np.abs(gain), max_bin=PARAMETERS['max_bin'], nthread=PARAMETERS['nthread'])
    return xgb.train(PARAMETERS, data, rounds)


def out_of_fold(values: np.ndarray, utility: Utility, fold: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """The raw score of each row, by the model of the other folds."""
    score = np.empty(len(fold), np.float32)
    for k in range(FOLDS):
        print(f'  fold {k + 1} of {FOLDS}', file=sys.stderr, flush=True)
        held_out = fold == k
        score[held_out] = fit(values, utility, ~held_out, rounds).inplace_predict(values[held_out])
    return score
