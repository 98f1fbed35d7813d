"""Reads what `latido replay ... --export VIEW,... --to DIR` writes: the vectors of our own engine, never a second implementation.

DIR/VIEW/manifest.json  {view, version, features: [name, ...], rows}
DIR/VIEW/vectors.f32    rows x features, float32 little endian, NaN where a feature is absent
DIR/VIEW/index.csv      one line a row after a header: patient's source id, as-of time in ms
"""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class View:
    """One view's vectors, in the order of the label table."""
    name: str
    version: int
    features: list[str]
    values: np.ndarray
    """float32 (label rows, features)."""


def read_view(directory: Path, labels: pd.DataFrame) -> View:
    """The vector of each label row (pid, hour): the last one as of that hour. Raises ValueError where one is missing."""
    manifest = json.loads((directory / 'manifest.json').read_text())
    features = manifest['features']
    values = np.memmap(directory / 'vectors.f32', dtype='<f4', mode='r').reshape(-1, len(features))
    index = pd.read_csv(directory / 'index.csv', dtype={0: str})
    index = pd.DataFrame({'pid': index.iloc[:, 0].astype(str), 'as_of': index.iloc[:, 1]})
    if len(index) != manifest['rows'] or len(values) != manifest['rows']:
        raise ValueError(f"{directory}: manifest says {manifest['rows']} rows, index has {len(index)}, vectors {len(values)}")
    index['hour'] = (index['as_of'] - start_of_replay(index['as_of'])) // HOUR_MS
    index['row'] = np.arange(len(index))
    newest = index.groupby(['pid', 'hour'], sort=False)['row'].last().reset_index()
    rows = labels[['pid', 'hour']].merge(newest, on=['pid', 'hour'], how='left')['row'].to_numpy()
    absent = int(np.isnan(rows).sum())
    if absent > 0:
        raise ValueError(f'{directory}: {absent} of {len(rows)} labelled hours have no vector; replay the same file that the labels come from')
    return View(manifest['view'], int(manifest['version']), list(features), gather(values, rows.astype(np.int64)))


def start_of_replay(as_of: pd.Series) -> int:
    """The replay puts hour h of every stay h hours after the same midnight (UTC), and no stay begins before its hour 0."""
    day_ms = 24 * HOUR_MS
    return int(as_of.min()) // day_ms * day_ms


def gather(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """values[rows], a block at a time so that the mapped file is not held twice."""
    out = np.empty((len(rows), values.shape[1]), np.float32)
    for start in range(0, len(rows), 50_000):
        out[start:start + 50_000] = values[rows[start:start + 50_000]]
    return out
