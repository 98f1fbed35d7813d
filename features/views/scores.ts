import { banded, coalesce, constant, rounded, when, type Feature } from '../define/index.ts'

/**
 * NEWS2 sub-scores (Royal College of Physicians, National Early Warning Score 2, 2017; free to use with acknowledgement).
 * Values lie on whole numbers (temperature on one decimal), so they are rounded before they are scored: else 38.05 would fall into a gap.
 */
export const news2 = {
  respiration: (rate: Feature): Feature => banded(rounded(rate), [[8, 3], [11, 1], [20, 0], [24, 2]], 3),
  spo2Scale1: (spo2: Feature): Feature => banded(rounded(spo2), [[91, 3], [93, 2], [95, 1]], 0),
  /** For a prescribed target of 88-92 % only; above 92 % points count on oxygen only. */
  spo2Scale2: (spo2: Feature, oxygen: Feature): Feature => when(rounded(spo2), '<=', 92,
    banded(rounded(spo2), [[83, 3], [85, 2], [87, 1]], 0),
    when(oxygen, '=', 0, constant(0, '{points}'), banded(rounded(spo2), [[94, 1], [96, 2]], 3))),
  air: (oxygen: Feature): Feature => when(oxygen, '>', 0, constant(2, '{points}'), constant(0, '{points}')),
  systolic: (pressure: Feature): Feature => banded(rounded(pressure), [[90, 3], [100, 2], [110, 1], [219, 0]], 3),
  pulse: (rate: Feature): Feature => banded(rounded(rate), [[40, 3], [50, 1], [90, 0], [110, 1], [130, 2]], 3),
  /** ACVPU: anything but alert scores 3. */
  consciousness: (acvpu: Feature): Feature => when(acvpu, '>', 0, constant(3, '{points}'), constant(0, '{points}')),
  temperature: (celsius: Feature): Feature => banded(rounded(celsius, 1), [[35, 3], [36, 1], [38, 0], [39, 1]], 2),
}

/** 1 where oxygen is given: charted as such, else a flow above 0, else an inspired fraction above room air (21 %). */
export function onOxygen (therapy: Feature, flow: Feature, fio2: Feature): Feature {
  const one = constant(1)
  const zero = constant(0)
  return coalesce(therapy, when(flow, '>', 0, one, zero), when(fio2, '>', 21, one, zero))
}
