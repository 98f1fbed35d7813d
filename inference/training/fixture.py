"""Makes the tiny model of the TypeScript tests from invented data: `python fixture.py ../../test/inference/tiny-model`."""
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb

from calibration import knots_of
from package import Identity, write_package


def main() -> None:
    rng = np.random.default_rng(5)
    names = ['pulse', 'pressure', 'flow', 'warmth', 'colour', 'always', 'rarely', 'never']
    values = rng.normal(size=(4000, len(names))).astype(np.float32).round(2)
    values[:, 5] = 1
    values[rng.random(values.shape) < [0.1, 0.1, 0.3, 0.2, 0, 0, 0.9, 1]] = np.nan
    present = np.nan_to_num(values)
    y = rng.random(len(values)) < 1 / (1 + np.exp(2 - present[:, 0] * present[:, 1] - present[:, 2] - np.isnan(values[:, 3])))
    booster = xgb.train(dict(objective='binary:logistic', max_depth=4, eta=0.3, tree_method='hist', nthread=1, seed=1), xgb.DMatrix(values, label=y), 20)
    knots = knots_of(booster.inplace_predict(values), y.astype(np.int8))
    write_package(Path(sys.argv[1]), Identity('tiny', '0.0.1', 'tinyView', 1, names, 'nothing: invented data'), booster, values, 400, knots, {
        'threshold': 0.5, 'operatingPoints': [], 'metrics': {}, 'baseline': {}, 'training': {'data': 'invented', 'rows': len(values)},
    })


if __name__ == '__main__':
    main()
