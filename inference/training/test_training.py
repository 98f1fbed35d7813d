"""python -m unittest discover inference/training"""
import unittest

import numpy as np
import xgboost as xgb

from burden import alerts_of
from calibration import calibrated, knots_of
from evaluate import Discrimination
from export_onnx import check_parity, onnx_of, trial_rows
from folds import FOLDS, folds_of
from labels import Labels
from reference import bins_of
from sklearn.metrics import roc_auc_score
from trees import forest_of
from utility import best_threshold, normalised, utility_of


def labels_of(*stays: list[int]) -> Labels:
    y = np.concatenate([np.array(s, np.int8) for s in stays])
    stay = np.repeat(np.arange(len(stays)), [len(s) for s in stays])
    position = np.concatenate([np.arange(len(s)) for s in stays])
    return Labels(None, y, stay, position, position + 1, np.array([max(s) == 1 for s in stays]), '')


class UtilityTest(unittest.TestCase):
    """One stay of 30 hours labelled from its 15th: onset is at position 20."""
    labels = labels_of([0] * 14 + [1] * 16, [0] * 30)
    utility = utility_of(labels.y, labels.stay, labels.position)

    def test_reward_peaks_six_hours_before_onset(self) -> None:
        septic = self.utility.positive[:30]
        self.assertEqual(self.utility.hours_to_onset[20], 0)
        self.assertAlmostEqual(septic[14], 1)
        self.assertAlmostEqual(septic[8], 0)
        self.assertAlmostEqual(septic[11], 0.5)
        self.assertAlmostEqual(septic[23], 0)
        self.assertAlmostEqual(septic[20], 1 / 3)
        self.assertAlmostEqual(septic[2], -0.05)
        self.assertAlmostEqual(septic[29], 0)

    def test_silence_costs_from_six_hours_before_to_three_after(self) -> None:
        missed = self.utility.negative[:30]
        self.assertAlmostEqual(missed[14], 0)
        self.assertAlmostEqual(missed[23], -2)
        self.assertAlmostEqual(missed[24], 0)
        self.assertTrue((self.utility.negative[30:] == 0).all() and (self.utility.positive[30:] == -0.05).all())

    def test_normalised_is_zero_for_silence_and_one_for_the_best(self) -> None:
        self.assertAlmostEqual(normalised(self.utility, np.zeros(60, bool)), 0)
        since = self.utility.hours_to_onset
        self.assertAlmostEqual(normalised(self.utility, (since >= -12) & (since <= 3)), 1)

    def test_threshold_keeps_ties_together(self) -> None:
        everything = np.ones(60, bool)
        score = np.where(self.utility.gain > 0, 0.7, 0.2)
        self.assertEqual(best_threshold(score, self.utility, everything), 0.7)


class FoldsTest(unittest.TestCase):
    def test_a_stay_is_in_one_fold_and_outcomes_are_spread(self) -> None:
        septic = np.arange(200) % 10 == 0
        stay = np.repeat(np.arange(200), 3)
        fold = folds_of(stay, septic)
        self.assertTrue((fold.reshape(200, 3) == fold[::3, None]).all())
        self.assertEqual(set(np.bincount(fold[::3][septic], minlength=FOLDS)), {4})


class BurdenTest(unittest.TestCase):
    def test_an_alert_rearms_after_six_hours_and_in_another_stay(self) -> None:
        labels = labels_of([0] * 14, [0] * 3)
        alerts = alerts_of(np.ones(17, bool), labels)
        self.assertEqual(np.flatnonzero(alerts).tolist(), [0, 6, 12, 14])


class EvaluateTest(unittest.TestCase):
    def test_weighted_auroc_is_sklearns_on_repeated_rows(self) -> None:
        rng = np.random.default_rng(1)
        score, y, weight = rng.integers(0, 20, 300), rng.integers(0, 2, 300), rng.integers(0, 4, 300)
        self.assertAlmostEqual(Discrimination(score, y).auroc(weight), roc_auc_score(np.repeat(y, weight), np.repeat(score, weight)), 12)


class CalibrationTest(unittest.TestCase):
    def test_knots_rise_and_follow_the_frequencies(self) -> None:
        rng = np.random.default_rng(1)
        raw = rng.random(50_000)
        y = (rng.random(50_000) < raw ** 2).astype(np.int8)
        x, risen = knots_of(raw, y)
        self.assertTrue((np.diff(x) > 0).all() and (np.diff(risen) > 0).all() and risen.min() >= 0 and risen.max() <= 1)
        self.assertLess(abs(calibrated(np.array([0.5]), (x, risen))[0] - 0.25), 0.03)


class ReferenceTest(unittest.TestCase):
    def test_shares_and_missing_add_up_and_bins_are_half_open(self) -> None:
        bins = bins_of(np.array([0, 0, 0, 1, 2, 2, np.nan, np.nan], np.float32), 'f')
        self.assertEqual(bins['edges'], [1.0, 2.0])
        self.assertEqual(bins['missingShare'], 0.25)
        self.assertEqual([round(s, 3) for s in bins['shares']], [0.5, 0.167, 0.333])


class ExportTest(unittest.TestCase):
    def setUp(self) -> None:
        rng = np.random.default_rng(2)
        self.values = rng.normal(size=(2000, 6)).astype(np.float32).round(1)
        self.values[rng.random(self.values.shape) < 0.2] = np.nan
        y = np.nan_to_num(self.values[:, 0]) + np.isnan(self.values[:, 1]) > 0.5
        self.booster = xgb.train(dict(objective='binary:logistic', max_depth=4, tree_method='hist', nthread=1), xgb.DMatrix(self.values, label=y), 15)
        self.forest = forest_of(self.booster)

    def test_onnx_agrees_on_absent_values_and_on_thresholds(self) -> None:
        rows = trial_rows(self.forest, self.values)
        on_threshold = np.isin(rows, self.forest.threshold[self.forest.feature >= 0]).any(axis=1)
        self.assertGreater(on_threshold.sum(), 300)
        self.assertLessEqual(check_parity(onnx_of(self.forest, 6), self.booster, rows), 1e-6)

    def test_a_model_that_differs_is_refused(self) -> None:
        self.forest.leaf[self.forest.feature < 0] += np.float32(0.01)
        with self.assertRaisesRegex(ValueError, 'not exported'):
            check_parity(onnx_of(self.forest, 6), self.booster, trial_rows(self.forest, self.values))


if __name__ == '__main__':
    unittest.main()
