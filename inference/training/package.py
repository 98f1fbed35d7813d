"""Writes what the TypeScript side loads: model.onnx, trees.json, manifest.json, golden.json."""
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xgboost as xgb

from export_onnx import check_parity, onnx_of, trial_rows
from golden import golden_of
from reference import reference_of
from trees import compact, forest_of


@dataclass(frozen=True)
class Identity:
    """What a model is called, and the view whose vectors it reads."""
    name: str
    version: str
    view: str
    view_version: int
    features: list[str]
    predicts: str


def write_package(to: Path, identity: Identity, booster: xgb.Booster, values: np.ndarray, stays: int, knots: tuple[np.ndarray, np.ndarray], rest: dict) -> dict:
    """Exports after the parity test and returns the manifest. `rest` adds threshold, operatingPoints, metrics, training."""
    forest = forest_of(booster)
    model = onnx_of(forest, len(identity.features))
    parity = check_parity(model, booster, trial_rows(forest, values))
    reference = reference_of(values, identity.features, stays)
    files = {
        'model.onnx': model.SerializeToString(),
        'trees.json': text(compact(forest)),
        'golden.json': text(golden_of(booster, reference, knots)),
    }
    manifest = {
        'name': identity.name, 'version': identity.version, 'view': identity.view, 'viewVersion': identity.view_version,
        'predicts': identity.predicts, 'features': identity.features,
        'files': {name: {'bytes': len(content), 'sha256': hashlib.sha256(content).hexdigest()} for name, content in files.items()},
        'calibration': {'x': [float(x) for x in knots[0]], 'y': [float(y) for y in knots[1]]},
        'trees': len(forest.start), 'onnxParity': parity,
        **rest, 'reference': reference,
    }
    to.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (to / name).write_bytes(content)
    (to / 'manifest.json').write_text(readable(manifest))
    return manifest


def text(value: object) -> bytes:
    return (json.dumps(value, separators=(',', ':'), allow_nan=False) + '\n').encode()


def readable(manifest: dict) -> str:
    """One line a top-level entry, and one a feature of the reference, so that a change of the model reads as a diff."""
    def entry(key: str, value: object) -> str:
        if key == 'reference':
            features = ',\n'.join('    ' + json.dumps(f) for f in value['features'])
            return f'  "reference": {{ "rows": {value["rows"]}, "stays": {value["stays"]}, "features": [\n{features}\n  ] }}'
        return f'  {json.dumps(key)}: {json.dumps(value, allow_nan=False)}'
    return '{\n' + ',\n'.join(entry(k, v) for k, v in manifest.items()) + '\n}\n'
