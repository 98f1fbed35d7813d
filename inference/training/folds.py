"""Cross-validation folds: whole stays, stratified by outcome, seeded."""
import numpy as np

FOLDS = 5
SEED = 2019


def folds_of(stay: np.ndarray, septic: np.ndarray) -> np.ndarray:
    """The fold of each row: stays are dealt to the folds at random, septic and other stays apart."""
    rng = np.random.default_rng(SEED)
    fold = np.empty(len(septic), np.int64)
    for outcome in (False, True):
        members = rng.permutation(np.flatnonzero(septic == outcome))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold[stay]
