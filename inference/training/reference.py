"""The training distribution of each feature, frozen in bins: what the drift monitor compares the live stream with."""
import numpy as np

BINS = 10


def reference_of(values: np.ndarray, features: list[str], stays: int) -> dict:
    """Decile edges of each feature (fewer where values repeat), the share of rows in each bin among those present, and of absent rows.

    A value lies in bin k when edges[k-1] <= value < edges[k]; the outer bins are open. Values are float32, as the model sees them.
    """
    return {'rows': len(values), 'stays': stays, 'features': [bins_of(values[:, i], name) for i, name in enumerate(features)]}


def bins_of(column: np.ndarray, name: str) -> dict:
    present = column[~np.isnan(column)]
    if len(present) == 0:
        return {'name': name, 'edges': [], 'shares': [1.0], 'missingShare': 1.0}
    edges = np.unique(np.quantile(present, np.arange(1, BINS) / BINS, method='higher'))
    edges = edges[edges > present.min()]
    counts = np.bincount(np.searchsorted(edges, present, side='right'), minlength=len(edges) + 1)
    return {
        'name': name,
        'edges': [float(np.format_float_positional(e, unique=True)) for e in edges],
        'shares': [round(float(s), 6) for s in counts / len(present)],
        'missingShare': round(1 - len(present) / len(column), 6),
    }
