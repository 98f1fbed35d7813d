"""Makes a label file from a running Latido. A demonstration, without any clinical claim.

For a while it asks, every two seconds, for one feature of every patient. A row's label is 1 where the feature, five seconds
later, is below the median of all answers. The columns that begin with "seen_" are what the API had answered:
train_from_a_data_set.py compares them with what the data set says of the same moment.

    python3 docs/examples/make_labels.py labels.csv --feature vitals:meanPressureLast --seconds 20
"""
import argparse
import csv
import json
import statistics
import sys
import time
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))
from latido_client import LatidoClient  # noqa: E402

EVERY_S = 2
HORIZON_S = 5
# However long a busy machine takes for so many.
SAMPLES_MIN = 8

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--feature", default="vitals:meanPressureLast")
parser.add_argument("--seconds", type=float, default=20)
parser.add_argument("--url", default="http://127.0.0.1:8080")
options = parser.parse_args()

with urlopen(options.url + "/api/patients") as response:
    patients = [p["patient"] for p in json.load(response)]
client = LatidoClient(options.url)

# One dictionary a sample: patient -> (moment of the answer, moment of the vector, value).
samples = []
end = time.monotonic() + options.seconds + HORIZON_S
while time.monotonic() < end or len(samples) < SAMPLES_MIN:
    answer = client.read_features(patients, features=[options.feature])
    view = answer.views[0]
    samples.append({p: (answer.now, view.as_of[i], view.values[i][0]) for i, p in enumerate(patients) if view.values[i][0] is not None})
    time.sleep(EVERY_S)

values = [value for sample in samples for _, _, value in sample.values()]
if not values:
    sys.exit(f"{options.feature} has no value yet: wait some seconds, and try again")
limit = statistics.median(values)
rows = []
for i, sample in enumerate(samples):
    for patient, (now, as_of, value) in sample.items():
        later = next((s[patient] for s in samples[i:] if patient in s and s[patient][0] >= now + HORIZON_S * 1000), None)
        if later is not None:
            rows.append([patient, now, int(later[2] < limit), as_of, value])

with open(options.file, "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["patient", "time", "low", "seen_as_of", "seen_" + options.feature.replace(":", "__")])
    writer.writerows(rows)
print(f"{options.file}: {len(rows)} labels of {len({row[0] for row in rows})} patients, low is below {limit:g}")
