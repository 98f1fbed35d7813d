"""A booster as flat arrays, exactly as it holds them (float32): what the ONNX converter and the TypeScript explanations read."""
import json
from dataclasses import dataclass

import numpy as np
import xgboost as xgb


@dataclass(frozen=True)
class Forest:
    """All trees one after the other; children are positions in the same arrays, -1 at a leaf; `start` has each tree's root.

    A row goes left where value < threshold (float32), right otherwise; where the value is absent, left if missing_left.
    """
    base: float
    """Margin (log-odds) before any tree."""
    start: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    cover: np.ndarray
    leaf: np.ndarray
    """Leaf's margin; 0 at a split."""


def forest_of(booster: xgb.Booster) -> Forest:
    learner = json.loads(booster.save_raw('json'))['learner']
    if learner['objective']['name'] != 'binary:logistic':
        raise ValueError('only binary:logistic is converted')
    trees = learner['gradient_booster']['model']['trees']
    starts = np.cumsum([0] + [len(t['left_children']) for t in trees])
    left = np.concatenate([child_positions(t['left_children'], s) for t, s in zip(trees, starts)])
    right = np.concatenate([child_positions(t['right_children'], s) for t, s in zip(trees, starts)])
    condition = np.concatenate([np.array(t['split_conditions'], np.float32) for t in trees])
    is_leaf = left < 0
    return Forest(
        base=base_margin(learner['learner_model_param']['base_score']),
        start=starts[:-1],
        feature=np.where(is_leaf, -1, np.concatenate([t['split_indices'] for t in trees])),
        threshold=np.where(is_leaf, np.float32(0), condition),
        left=left, right=right,
        missing_left=np.concatenate([t['default_left'] for t in trees]).astype(bool) & ~is_leaf,
        cover=np.concatenate([np.array(t['sum_hessian'], np.float32) for t in trees]),
        leaf=np.where(is_leaf, condition, np.float32(0)),
    )


def child_positions(children: list[int], start: int) -> np.ndarray:
    c = np.array(children)
    return np.where(c < 0, -1, c + start)


def base_margin(base_score: str) -> float:
    """xgboost writes a probability, since 3.1 as a list of one: '[4.6E-1]'."""
    p = float(base_score.strip('[]'))
    return float(np.log(p / (1 - p)))


def compact(forest: Forest) -> dict:
    """trees.json: short exact decimals of the float32 values; a leaf has feature -1 and its margin under `threshold`."""
    def floats(values: np.ndarray) -> list[float]:
        return [float(np.format_float_scientific(v, unique=True, trim='-')) for v in values.astype(np.float32)]
    return {
        'base': forest.base,
        'start': forest.start.tolist(),
        'feature': forest.feature.tolist(),
        'threshold': floats(np.where(forest.feature < 0, forest.leaf, forest.threshold)),
        'left': forest.left.tolist(),
        'right': forest.right.tolist(),
        'missingLeft': forest.missing_left.astype(int).tolist(),
        'cover': floats(forest.cover),
    }
