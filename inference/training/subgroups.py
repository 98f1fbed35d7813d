"""The same figures by sex and by age: where the model is worse, the card must say so."""
import numpy as np
from sklearn.metrics import roc_auc_score

from burden import alerts_of
from labels import Labels
from utility import EARLY_H, LATE_H, Utility
from vectors import View


def groups_of(view: View) -> dict[str, np.ndarray]:
    male, age = (view.values[:, view.features.index(name)] for name in ('male', 'ageYears'))
    return {
        'female': male == 0, 'male': male == 1,
        'under 50': age < 50, '50 to 64': (age >= 50) & (age < 65), '65 to 79': (age >= 65) & (age < 80), '80 and over': age >= 80,
    }


def by_subgroup(view: View, probability: np.ndarray, threshold: float, labels: Labels, utility: Utility) -> list[dict]:
    """AUROC by row; sensitivity by septic stay and alerts a patient-day at `threshold`; observed over expected rows."""
    alerts = alerts_of(probability >= threshold, labels)
    true = alerts & (utility.hours_to_onset >= EARLY_H) & (utility.hours_to_onset <= LATE_H)
    found = []
    for name, rows in groups_of(view).items():
        septic = np.unique(labels.stay[rows & labels.septic[labels.stay]])
        found.append({
            'group': name, 'stays': int(np.unique(labels.stay[rows]).size), 'septicStays': int(septic.size),
            'auroc': float(roc_auc_score(labels.y[rows], probability[rows])),
            'sensitivity': float(np.unique(labels.stay[true & rows]).size / septic.size),
            'alertsPerPatientDay': float(alerts[rows].sum() / rows.sum() * 24),
            'observedOverExpected': float(labels.y[rows].sum() / probability[rows].sum()),
        })
    return found
