# %% [markdown]
# # Train a model on a data set, and score with the same features online
#
# The labels come from `make_labels.py`: a demonstration, without any clinical claim. Before this, with Latido running and then stopped:
#
#     python3 docs/examples/make_labels.py labels.csv
#     npx latido dataset build pressure --labels labels.csv --views vitals
#
# Then start Latido again, and run this file as a notebook, or as `python docs/examples/train_from_a_data_set.py [FOLDER [URL]]`.
# It needs numpy, pyarrow and scikit-learn.

# %%
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else ".latido/lake/datasets/pressure/1")
URL = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8080"

# %% [markdown]
# ## The data set is what its manifest says

# %%
manifest = json.loads((FOLDER / "manifest.json").read_text())
for file in manifest["files"]:
    if hashlib.sha256((FOLDER / file["name"]).read_bytes()).hexdigest() != file["sha256"]:
        sys.exit(f"{file['name']} is not the file of the manifest")

# Columns say where they come from: a label can't be taken for a feature.
features = [c["name"] for c in manifest["columns"] if c["from"] == "feature" and c["type"] == "Nullable(Float64)"]
rows = [row for file in manifest["files"] for row in parquet.read_table(FOLDER / file["name"]).to_pylist()]
assert len(rows) == manifest["rows"]
patients = np.array([row["patient"] for row in rows])
print(f"{manifest['name']}@{manifest['version']}: {len(rows)} rows of {len(set(patients))} patients, {len(features)} features, every file as in the manifest")

# %% [markdown]
# ## What was served is what is trained on
#
# The label maker wrote down what the API had answered. Where it was the same vector, it must be the same number.

# %%
seen = next(c["name"] for c in manifest["columns"] if c["name"].startswith("seen_") and c["name"] != "seen_as_of")
feature = seen.removeprefix("seen_")
as_of = feature.split("__")[0] + "__as_of"
# A data set that was computed from the observations has no vectors of which it could say when they were made.
same_vector = [row for row in rows if row.get(as_of) is not None and round(row[as_of].timestamp() * 1000) == row["seen_as_of"]]
different = [row for row in same_vector if row[feature] != row[seen]]
print(f"{len(same_vector)} answers of the API are of the vector that the data set has; {len(different)} of them differ")
if different:
    sys.exit("the data set differs from what was served")


# %% [markdown]
# ## Train
#
# A value that is absent is 0, and a column beside it says that it is absent: nothing is imputed in silence. The folds are
# of whole patients, so no patient is in training and test.

# %%
def inputs(values):
    """A row for the model: values, and which of them are present."""
    given = np.array([np.nan if v is None else v for v in values], dtype=float)
    return np.concatenate([np.nan_to_num(given), ~np.isnan(given)])


x = np.array([inputs([row[name] for name in features]) for row in rows])
y = np.array([row["low"] for row in rows])
scores = np.full(len(rows), np.nan)
for train, test in StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=0).split(x, y, patients):
    assert not set(patients[train]) & set(patients[test])
    fold = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(x[train], y[train])
    scores[test] = fold.predict_proba(x[test])[:, 1]
print(f"AUROC {roc_auc_score(y, scores):.3f}, four folds by patient; chance is 0.5")
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(x, y)

# %% [markdown]
# ## Score online
#
# The same names, asked of a running Latido: a column `VIEW__FEATURE` of the data set is `VIEW:FEATURE` of the API.

# %%
sys.path.insert(0, str((Path(__file__).parents[2] if "__file__" in globals() else Path.cwd()) / "clients" / "python"))
from latido_client import LatidoClient  # noqa: E402

client = LatidoClient(URL)
for trained in manifest["views"]:
    served = client.get_feature_view(f"{trained['name']}@{trained['version']}")
    columns = [c for c in manifest["columns"] if c["name"] in features and c["view"] == f"{trained['name']}@{trained['version']}"]
    assert [(f"{served.name}__{f.name}", f.unit) for f in served.features] == [(c["name"], c["unit"]) for c in columns]
names = [name.replace("__", ":", 1) for name in features]
patient = str(patients[0])
now = client.read_features_binary([patient], features=names)
values = [now.value(0, name) for name in names]
print(f"patient {patient} scores {model.predict_proba([inputs(values)])[0, 1]:.3f} now, from {sum(v is not None for v in values)} of {len(values)} features")
