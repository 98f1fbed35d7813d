"""The labels of PhysioNet/CinC Challenge 2019: SepsisLabel by stay and hour. The engine never reads this column."""
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Labels:
    """Rows in order of stay and hour. `stay` numbers the stays from 0; `position` counts the rows of a stay from 0."""
    table: pd.DataFrame
    y: np.ndarray
    stay: np.ndarray
    position: np.ndarray
    hour: np.ndarray
    septic: np.ndarray
    """For each stay: does it have a labelled row?"""
    sha256: str


def read_labels(file: Path) -> Labels:
    """Reads the challenge's table (.csv or .csv.gz with a pid column)."""
    table = pd.read_csv(file, usecols=['pid', 'ICULOS', 'SepsisLabel'], dtype={'pid': str}).rename(columns={'ICULOS': 'hour', 'SepsisLabel': 'label'})
    table = table.sort_values(['pid', 'hour'], kind='stable').reset_index(drop=True)
    stay = pd.factorize(table['pid'])[0]
    y = table['label'].to_numpy(np.int8)
    septic = np.zeros(stay.max() + 1, bool)
    np.logical_or.at(septic, stay, y == 1)
    position = table.groupby('pid', sort=False).cumcount().to_numpy()
    return Labels(table, y, stay, position, table['hour'].to_numpy(), septic, hashlib.sha256(file.read_bytes()).hexdigest())
