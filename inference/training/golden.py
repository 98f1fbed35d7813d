"""Invented rows with xgboost's own answers to them, for the tests of the TypeScript side. No row is a patient's."""
import numpy as np
import xgboost as xgb

ROWS = 16


def golden_of(booster: xgb.Booster, reference: dict, knots: tuple[np.ndarray, np.ndarray]) -> dict:
    """Each value is drawn by itself between the reference edges of its feature; a quarter is absent; the last row is absent whole."""
    rng = np.random.default_rng(11)
    rows = np.column_stack([invented(rng, f['edges']) for f in reference['features']]).astype(np.float32)
    rows[rng.random(rows.shape) < 0.25] = np.nan
    rows[-1] = np.nan
    contributions = booster.predict(xgb.DMatrix(rows), pred_contribs=True)
    score = booster.inplace_predict(rows)
    return {
        'rows': [[None if np.isnan(v) else float(np.format_float_scientific(v, unique=True)) for v in row] for row in rows],
        'score': [float(s) for s in score],
        'probability': [float(p) for p in np.interp(score, *knots)],
        'margin': [float(m) for m in booster.predict(xgb.DMatrix(rows), output_margin=True)],
        'base': float(contributions[0, -1]),
        'top': [[[int(i), float(row[i])] for i in np.argsort(-np.abs(row[:-1]), kind='stable')[:12]] for row in contributions],
    }


def invented(rng: np.random.Generator, edges: list[float]) -> np.ndarray:
    if len(edges) < 2:
        return np.full(ROWS, edges[0] if edges else 0.0)
    return np.round(rng.uniform(edges[0], edges[-1], ROWS), 2)
