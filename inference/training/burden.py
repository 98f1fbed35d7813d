"""What an alert costs and brings at a threshold: alerts a patient-day, sensitivity by stay, share of true alerts, lead."""
import numpy as np

from labels import Labels
from utility import EARLY_H, LATE_H, Utility

REARM_H = 6


def alerts_of(predicted: np.ndarray, labels: Labels) -> np.ndarray:
    """The rows that raise an alert: predicted, and none raised in the same stay less than REARM_H hours before."""
    alerts = np.zeros(len(predicted), bool)
    stay, raised = -1, -REARM_H
    for row in np.flatnonzero(predicted):
        if labels.stay[row] != stay:
            stay, raised = labels.stay[row], -REARM_H
        if labels.position[row] - raised >= REARM_H:
            alerts[row] = True
            raised = labels.position[row]
    return alerts


def burden(predicted: np.ndarray, labels: Labels, utility: Utility) -> dict:
    """An alert is true in a septic stay from 12 h before onset to 3 h after. Lead: onset minus a stay's first true alert."""
    alerts = alerts_of(predicted, labels)
    true = alerts & (utility.hours_to_onset >= EARLY_H) & (utility.hours_to_onset <= LATE_H)
    first = np.unique(labels.stay[true], return_index=True)[1]
    lead = -utility.hours_to_onset[true][first]
    return {
        'alertsPerPatientDay': float(alerts.sum() / len(predicted) * 24),
        'sensitivity': float(len(first) / labels.septic.sum()),
        'ppv': float(true.sum() / max(1, alerts.sum())),
        'medianLeadHours': float(np.median(lead)) if len(lead) > 0 else None,
        'staysWithFalseAlertsOnly': float(np.setdiff1d(labels.stay[alerts], labels.stay[true]).size / len(labels.septic)),
    }


def threshold_at(rate: float, score: np.ndarray, labels: Labels) -> float:
    """The lowest threshold that stays at or below `rate` alerts a patient-day (the rate falls as the threshold rises; bisection)."""
    low, high = float(score.min()), float(score.max())
    for _ in range(24):
        middle = (low + high) / 2
        if alerts_of(score >= middle, labels).sum() / len(score) * 24 > rate:
            low = middle
        else:
            high = middle
    return high
