"""Trains and evaluates the early-sepsis model on vectors that our own engine computed. See README.md.

python train.py --labels physionet2019_A.csv.gz --vectors DIR --to ../models/sepsis
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb
from sklearn.metrics import roc_auc_score

import booster as trees
from burden import burden, threshold_at
from calibration import calibrated, cross_calibrated, knots_of
from card import write_card
from evaluate import calibration_figures, cross_predicted, figures, same_hour_auroc
from folds import FOLDS, SEED, folds_of
from labels import Labels, read_labels
from package import Identity, write_package
from subgroups import by_subgroup
from utility import Utility, best_threshold, normalised, utility_of
from vectors import View, read_view

VERSION = '1.0.0'
ALERTS_PER_PATIENT_DAY = 1.0
"""The rate that the alert threshold is set to; the board can be slower, not faster."""


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def anchors(labels: Labels, utility: Utility, sepsis: View) -> dict:
    """Scores without a model, and proof that the utility is the challenge's: two figures of its official code must come out."""
    news2 = np.nan_to_num(sepsis.values[:, sepsis.features.index('news2Partial')])
    late = labels.hour.astype(float)
    found = {
        'news2At5': normalised(utility, news2 >= 5), 'news2At7': normalised(utility, news2 >= 7), 'hoursAt48': normalised(utility, late >= 48),
        'news2Auroc': float(roc_auc_score(labels.y, news2)), 'hoursAuroc': float(roc_auc_score(labels.y, late)),
        'news2AurocSameHour': same_hour_auroc(news2, labels),
        'news2At5Burden': burden(news2 >= 5, labels, utility), 'news2At7Burden': burden(news2 >= 7, labels, utility),
    }
    for name, expected, tolerance in (('news2At5', 0.116, 0.01), ('hoursAt48', 0.302, 0.001)):
        if abs(found[name] - expected) > tolerance:
            say(f'  WARNING: utility of {name} is {found[name]:.4f}, the official code says {expected}: vectors or labels are not those of set A')
    return found


def operating_points(probability: np.ndarray, labels: Labels, utility: Utility, fold: np.ndarray, news2: dict) -> list[dict]:
    """Thresholds on the calibrated out-of-fold probability, with what they cost and bring."""
    everything = np.ones(len(probability), bool)
    chosen = [
        ('utility', best_threshold(probability, utility, everything)),
        ('alertRate', threshold_at(ALERTS_PER_PATIENT_DAY, probability, labels)),
        ('news2At7Rate', threshold_at(news2['news2At7Burden']['alertsPerPatientDay'], probability, labels)),
    ]
    points = [{'name': name, 'threshold': threshold, **burden(probability >= threshold, labels, utility)} for name, threshold in chosen]
    points[0]['crossFitted'] = burden(cross_predicted(probability, utility, fold), labels, utility)
    return points


def is_laboratory_change(name: str, features: list[str]) -> bool:
    """A change is absent until a second value has come, which in a laboratory series says how long the stay has lasted. Vital signs have slopes."""
    return name.endswith('Delta') and name.removesuffix('Delta') + 'Slope24h' not in features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--labels', type=Path, required=True, help='the challenge table with SepsisLabel')
    parser.add_argument('--vectors', type=Path, required=True, help='what `latido replay physionet2019 FILE --export sepsis,sepsisTime` wrote')
    parser.add_argument('--to', type=Path, required=True, help='the model folder')
    parser.add_argument('--rounds', type=int, default=trees.ROUNDS)
    options = parser.parse_args()

    labels = read_labels(options.labels)
    utility = utility_of(labels.y, labels.stay, labels.position)
    fold = folds_of(labels.stay, labels.septic)
    sepsis = read_view(options.vectors / 'sepsis', labels.table)
    say(f'{len(labels.y)} rows of {len(labels.septic)} stays, {int(labels.septic.sum())} septic; {len(sepsis.features)} features')
    baseline = anchors(labels, utility, sepsis)

    say('without time in unit and running counts (the model that alerts)')
    raw = trees.out_of_fold(sepsis.values, utility, fold, options.rounds)
    metrics = {'withoutTime': figures(raw, labels, utility, fold)}
    say(f'  {metrics["withoutTime"]}')
    probability = cross_calibrated(raw, labels.y, fold)
    metrics['calibration'] = calibration_figures(probability, labels.y)
    knots = knots_of(raw, labels.y)
    points = operating_points(calibrated(raw, knots), labels, utility, fold, baseline)
    metrics['subgroups'] = by_subgroup(sepsis, probability, points[1]['threshold'], labels, utility)

    say('without the changes of laboratory values, too (measured, never used)')
    kept = [i for i, name in enumerate(sepsis.features) if not is_laboratory_change(name, sepsis.features)]
    fewer = trees.out_of_fold(sepsis.values[:, kept], utility, fold, options.rounds)
    metrics['withoutChanges'] = {'features': len(kept), **figures(fewer, labels, utility, fold)}
    say(f'  {metrics["withoutChanges"]}')

    say('with time in unit and running counts (measured, never used)')
    time = read_view(options.vectors / 'sepsisTime', labels.table)
    everything = trees.out_of_fold(np.hstack([sepsis.values, time.values]), utility, fold, options.rounds)
    metrics['withTime'] = {'features': len(sepsis.features) + len(time.features), **figures(everything, labels, utility, fold)}
    say(f'  {metrics["withTime"]}')
    del everything, time

    say('the final model, on all stays')
    final = trees.fit(sepsis.values, utility, np.ones(len(fold), bool), options.rounds)
    manifest = write_package(
        options.to, Identity('sepsis', VERSION, sepsis.name, sepsis.version, sepsis.features, 'SepsisLabel: sepsis (Sepsis-3) begins within 6 h, or has begun'),
        final, sepsis.values, len(labels.septic), knots,
        {
            'threshold': points[1]['threshold'], 'operatingPoints': points, 'metrics': metrics, 'baseline': baseline,
            'training': {
                'data': options.labels.name, 'dataSha256': labels.sha256, 'rows': len(labels.y), 'stays': len(labels.septic),
                'septicStays': int(labels.septic.sum()), 'positiveRows': int(labels.y.sum()), 'folds': FOLDS, 'foldSeed': SEED,
                'xgboost': xgb.__version__, 'rounds': options.rounds, 'parameters': trees.PARAMETERS,
            },
        })
    write_card(options.to / 'CARD.md', manifest, importance(final, sepsis.features))
    say(f'wrote {options.to}')


def importance(model: xgb.Booster, features: list[str]) -> list[tuple[str, float]]:
    """Share of the gain of the 20 features that give most."""
    gain = model.get_score(importance_type='total_gain')
    total = sum(gain.values())
    ranked = sorted(((features[int(name[1:])], value / total) for name, value in gain.items()), key=lambda item: -item[1])
    return ranked[:20]


if __name__ == '__main__':
    main()
