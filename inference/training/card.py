"""The model card: every figure, and how it was made. Written by train.py from the manifest, never by hand."""
from pathlib import Path


def number(value: float | None, digits: int = 3) -> str:
    return 'none' if value is None else f'{value:.{digits}f}'


def with_interval(value: float, interval: list[float]) -> str:
    return f'{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]'


def measured_row(name: str, count: int, m: dict) -> str:
    return (f'| {name} | {count} | {with_interval(m["auroc"], m["aurocInterval"])} | {number(m["auprc"])} '
            f'| {with_interval(m["utility"], m["utilityInterval"])} | {number(m["aurocSameHour"])} |')


def burden_row(name: str, threshold: str, b: dict) -> str:
    return (f'| {name} | {threshold} | {number(b["alertsPerPatientDay"], 2)} | {number(b["sensitivity"])} | {number(b["ppv"])} '
            f'| {number(b["medianLeadHours"], 1)} | {number(b["staysWithFalseAlertsOnly"])} |')


def subgroup_row(g: dict) -> str:
    return (f'| {g["group"]} | {g["stays"]:,} | {g["septicStays"]} | {number(g["auroc"])} | {number(g["sensitivity"])} '
            f'| {number(g["alertsPerPatientDay"], 2)} | {number(g["observedOverExpected"], 2)} |')


def write_card(to: Path, m: dict, importance: list[tuple[str, float]]) -> None:
    t, base, points, cal = m['training'], m['baseline'], m['operatingPoints'], m['metrics']['calibration']
    honest, fewer, whole = (m['metrics'][name] for name in ('withoutTime', 'withoutChanges', 'withTime'))
    named = {'utility': 'best utility', 'alertRate': '**the model\'s alert threshold**: 1 alert a patient-day', 'news2At7Rate': 'as many alerts as NEWS2 >= 7'}
    shares = ', '.join(f'{name} {share * 100:.1f} %' for name, share in importance)
    to.write_text(f'''# Model card: {m["name"]} {m["version"]}

**Not a medical device.** A demonstration model on public data. Do not treat anybody by it.

## What it says
For each vector of view `{m["view"]}` version {m["viewVersion"]}: the calibrated probability of *{m["predicts"]}*. {m["trees"]} gradient-boosted trees of depth
{t["parameters"]["max_depth"]} at most over {len(m["features"])} features; absent features stay absent, nothing is imputed. It uses neither the time in the unit, nor the time since hospital
admission, nor how often something was measured since admission: see "The artefact".

## Data
PhysioNet/Computing in Cardiology Challenge 2019, training set A: {t["stays"]:,} ICU stays of adults, {t["rows"]:,} hourly rows, {t["septicStays"]:,} stays with sepsis, {t["positiveRows"]:,} rows
labelled ({t["positiveRows"] / t["rows"] * 100:.2f} %). The label is 1 from 6 h before the onset of sepsis (Sepsis-3).
Reyna MA, Josef CS, Jeter R, et al. Early Prediction of Sepsis From Clinical Data: The PhysioNet/Computing in Cardiology Challenge 2019.
Crit Care Med 2020;48(2):210-217. Licence CC BY 4.0. File `{t["data"]}`, sha256 `{t["dataSha256"]}`. The data are not in this repository.

## How it was made
Every vector was computed by the product's own engine from a replay of the file (`latido replay physionet2019 FILE --export ...`), as of each hourly
row, from what had arrived by then; the engine does not read the label column. XGBoost {t["xgboost"]}, {t["rounds"]} rounds, parameters
`{t["parameters"]}`.
A row's target is whether an alert then is worth more than silence by the challenge's utility, its weight how much. {t["folds"]} folds of whole stays,
stratified by outcome, seed {t["foldSeed"]}. The committed model is fitted on all stays with the same parameters; the figures below are of the {t["folds"]} models that had not seen
the stay. Features and parameters were chosen in some twenty trials, each on two folds of the same data, so the figures are slightly optimistic.
The ONNX file differs from xgboost by at most {m["onnxParity"]:.1e} on 1,000 rows with absent and on-threshold values.

## What was measured
Out of fold, per hourly row. Brackets: 95 % interval over 500 resamples of stays. Utility: the challenge's normalised score (0 never alerts, 1 perfect), own
implementation, thresholds chosen on the other folds. "Same hour": AUROC among rows of the same hour since admission, hours weighted by pairs.

| features | number | AUROC | AUPRC | utility | AUROC, same hour |
|---|---|---|---|---|---|
{measured_row('**this model** (without the artefact)', len(m['features']), honest)}
{measured_row('without changes of laboratory values, too; not used', fewer['features'], fewer)}
{measured_row('with time in unit, hospital time and running counts; not used', whole['features'], whole)}
| partial NEWS2 (no consciousness), >= 5 | | {number(base["news2Auroc"])} | | {number(base["news2At5"])} | {number(base["news2AurocSameHour"])} |
| partial NEWS2, >= 7 | | | | {number(base["news2At7"])} | |
| time in unit alone, >= 48 h | | {number(base["hoursAuroc"])} | | {number(base["hoursAt48"])} | 0.500 |

The rows without a model are the check of the scorer: the challenge's official code gives 0.116 for NEWS2 >= 5 (before impossible values are refused) and 0.302 for 48 hours in the unit.

**Calibration** (isotonic, as {len(m["calibration"]["x"])} knots, fitted on the other folds): expected calibration error {cal["ece"]:.5f} over ten bins of equal mass, slope {cal["slope"]:.3f}, intercept {cal["intercept"]:.3f}, observed
over expected {cal["observedOverExpected"]:.3f}.

## What an alert costs and brings
An alert re-arms after 6 h. It is true in a septic stay from 12 h before onset to 3 h after; lead is onset minus the first true alert; sensitivity
counts stays, PPV counts alerts, the last column is the share of all stays that saw false alerts only. Whole stays. Thresholds are on the out-of-fold probability of the same rows.

| operating point | threshold | alerts a patient-day | sensitivity | PPV | median lead, h | stays with false alerts only |
|---|---|---|---|---|---|---|
{chr(10).join(burden_row(named[p["name"]], number(p["threshold"], 4), p) for p in points)}
{burden_row('partial NEWS2 >= 5', '5', base['news2At5Burden'])}
{burden_row('partial NEWS2 >= 7', '7', base['news2At7Burden'])}

| group | stays | with sepsis | AUROC | sensitivity | alerts a patient-day | observed over expected |
|---|---|---|---|---|---|---|
{chr(10).join(subgroup_row(g) for g in m['metrics']['subgroups'])}

By subgroup at the alert threshold. Lead time alone proves nothing: 48 hours in the unit as the only rule has a median lead of 9 h.

## The artefact
In this data set the share of labelled rows rises steeply with the time in the unit, because stays without sepsis end. A model that knows the time, or counts that grow
with it, scores better here and nowhere else. Such features live in a view of their own (`sepsisTime`) which the model that alerts does not read.
What is left of it: ages of laboratory values (hours since the last one), and whether a second value has come at all (a change needs two), say something of
practice and a little of the time; both rank high below. The second row of the table is without those changes: what falls there in AUROC and utility, but
not among rows of the same hour, was the clock. That last column is the one that time cannot lift.

What matters most (share of gain): {shares}.

## Limits
- **It will not transfer as it is.** In the challenge, all leading entries had negative utility in the hidden third hospital. Measure it on your own stays in shadow before anybody sees an alert,
  recalibrate, and set the threshold by the alert rate that your ward can bear.
- Adults in intensive care only; not wards, not emergency departments, not children. Two units of one hospital system.
- Trained on hourly charted values. Device numerics are averaged to hourly samples before they reach it.
- The label is retrospective (suspicion of infection and SOFA), so treatment that followed suspicion is part of what it learned.
- Performance by ethnicity, diagnosis or unit was not measured.
- Drift of each input against its training distribution is monitored (PSI on the frozen bins of the manifest).

## Make it again
The commands are in `inference/training/README.md`. The result is deterministic for a given machine and version of XGBoost.
''')
