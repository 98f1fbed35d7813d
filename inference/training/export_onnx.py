"""The booster as ONNX: one TreeEnsembleRegressor (ai.onnx.ml 3, BRANCH_LT) and a Sigmoid; refused unless it says what xgboost says."""
import numpy as np
import onnx
import onnxruntime
import xgboost as xgb
from onnx import TensorProto, helper

from trees import Forest

PARITY_MAX = 1e-6
PARITY_ROWS = 1000


def onnx_of(forest: Forest, features: int) -> onnx.ModelProto:
    """Input `features` (n, features) float32, NaN = absent; output `score` (n, 1) float32, before calibration."""
    tree = np.searchsorted(forest.start, np.arange(len(forest.feature)), side='right') - 1
    node = np.arange(len(tree)) - forest.start[tree]
    is_leaf = forest.feature < 0
    offset = forest.start[tree]
    trees = helper.make_node(
        'TreeEnsembleRegressor', ['features'], ['margin'], domain='ai.onnx.ml',
        n_targets=1, aggregate_function='SUM', post_transform='NONE', base_values=[forest.base],
        nodes_treeids=tree.tolist(), nodes_nodeids=node.tolist(),
        nodes_featureids=np.maximum(forest.feature, 0).tolist(),
        nodes_modes=['LEAF' if leaf else 'BRANCH_LT' for leaf in is_leaf],
        nodes_values=forest.threshold.astype(float).tolist(),
        nodes_truenodeids=np.where(is_leaf, 0, forest.left - offset).tolist(),
        nodes_falsenodeids=np.where(is_leaf, 0, forest.right - offset).tolist(),
        nodes_missing_value_tracks_true=forest.missing_left.astype(int).tolist(),
        target_treeids=tree[is_leaf].tolist(), target_nodeids=node[is_leaf].tolist(),
        target_ids=[0] * int(is_leaf.sum()), target_weights=forest.leaf[is_leaf].astype(float).tolist(),
    )
    graph = helper.make_graph(
        [trees, helper.make_node('Sigmoid', ['margin'], ['score'])], 'latido',
        [helper.make_tensor_value_info('features', TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info('score', TensorProto.FLOAT, [None, 1])],
    )
    model = helper.make_model(graph, producer_name='latido', ir_version=8, opset_imports=[helper.make_opsetid('', 17), helper.make_opsetid('ai.onnx.ml', 3)])
    onnx.checker.check_model(model)
    return model


def trial_rows(forest: Forest, values: np.ndarray) -> np.ndarray:
    """Rows to compare on: real ones, a third of them with thresholds of the trees in place of values, and some values absent."""
    rng = np.random.default_rng(3)
    rows = values[rng.integers(0, len(values), PARITY_ROWS)].copy()
    splits = np.flatnonzero(forest.feature >= 0)
    for row in rows[:PARITY_ROWS // 3]:
        chosen = rng.choice(splits, 64)
        row[forest.feature[chosen]] = forest.threshold[chosen]
    absent = rng.random(rows.shape) < 0.1
    absent[:PARITY_ROWS // 6] = False
    rows[absent] = np.nan
    return rows


def check_parity(model: onnx.ModelProto, booster: xgb.Booster, rows: np.ndarray) -> float:
    """The largest difference between ONNX Runtime and xgboost on `rows`. Raises ValueError above PARITY_MAX."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    ours = session.run(['score'], {'features': rows})[0][:, 0]
    difference = float(np.abs(ours - booster.inplace_predict(rows)).max())
    if not difference <= PARITY_MAX:
        raise ValueError(f'the ONNX model differs from xgboost by {difference:g}, more than {PARITY_MAX:g}: not exported')
    return difference
