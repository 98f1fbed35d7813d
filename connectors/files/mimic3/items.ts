import type { ConceptId, ObservationKind } from '../../../streams/events/index.ts'

/** Which table a row of `ITEMS` is read from. */
export type ItemTable = 'chartevents' | 'labevents' | 'outputevents'

/**
 * What is done with an item: its value is an observation; or it is a part of the Glasgow score; or it only says something about
 * others of its moment (the verbal part: a tube makes the score untestable; the specimen: not from an artery).
 */
export type ItemRole = 'value' | 'inspired-oxygen' | 'arterial' | 'gcs-total' | 'gcs-eye' | 'gcs-verbal' | 'gcs-motor' | 'gcs-tube' | 'specimen'

export interface Item {
  readonly id: number
  readonly table: ItemTable
  readonly kind: ObservationKind
  readonly role: ItemRole
  readonly concept: ConceptId
  /** The unit of the numbers, as `toCanonical` knows it; empty: canonical. */
  readonly unit: string
  /** How the rows write it, in lower case; a row that writes another is refused. Empty and `NA` always pass. */
  readonly written: readonly string[]
}

type Line = readonly [ids: readonly number[], concept: ConceptId, unit: string, written: readonly string[], role?: ItemRole]

/**
 * CareVue (below 220000) and MetaVision items, checked against d_items and the units and ranges of the demo's rows. Within a moment
 * the later line wins where a feature asks for the last value: invasive pressures after cuff ones.
 * Left out on purpose: 677 and 679 (calculated from 678 and 676), alarm limits, temperatures of blood gases, laboratory values
 * that nurses copied to the chart (they stand in labevents).
 */
const CHARTED: readonly Line[] = [
  [[211, 220045], 'heartRate', '', ['bpm']],
  [[646, 220277], 'spo2', '', ['%']],
  [[618, 615, 220210, 224690], 'respiratoryRate', '', ['bpm', 'insp/min']],
  [[442, 455, 220179, 6701, 51, 220050], 'systolic', '', ['mmhg']],
  [[8440, 8441, 220180, 8555, 8368, 220051], 'diastolic', '', ['mmhg']],
  [[443, 456, 220181, 6702, 52, 225312, 220052], 'meanPressure', '', ['mmhg']],
  [[676, 223762], 'temperature', '', ['deg. c', '?c', '°c', 'c']],
  [[678, 223761], 'temperature', '[degF]', ['deg. f', '?f', '°f', 'f']],
  // CareVue writes torr beside a fraction, MetaVision percent; both mix.
  [[190, 3420, 223835], 'fio2', '', ['torr', '%', 'none'], 'inspired-oxygen'],
  [[1817, 228640], 'etco2', '', ['mmhg', 'none']],
  [[198], 'gcs', '', ['points'], 'gcs-total'],
  [[723], 'gcs', '', [], 'gcs-tube'],
  [[220739], 'gcs', '', [], 'gcs-eye'],
  [[223900], 'gcs', '', [], 'gcs-verbal'],
  [[223901], 'gcs', '', [], 'gcs-motor'],
]

/** Urine by catheter, void, conduit, nephrostomy; irrigation (227488, 227489) and other outputs are left out. */
const OUTPUTS: readonly Line[] = [
  [[40055, 40056, 40057, 40065, 40069, 40085, 40086, 40094, 40096, 40405, 40428, 40473, 40651, 40715, 43175, 226557, 226558, 226559, 226560, 226561, 226563, 226564, 226565, 226567, 226584], 'urineOutput', '', ['ml', 'cc']],
]

/**
 * Blood only. Left out on purpose: 51003 (troponin T is another molecule), 50808 (ionised calcium, a third of the total),
 * 50804 (total CO2 is not bicarbonate), 50825 and 50816 (temperature and oxygen typed in at the gas analyser).
 */
const LABORATORY: readonly Line[] = [
  [[50813], 'lactate', '', ['mmol/l']],
  [[50912], 'creatinine', '', ['mg/dl']],
  [[51006], 'ureaNitrogen', '', ['mg/dl']],
  [[51300, 51301], 'wbc', 'K/uL', ['k/ul']],
  [[51265], 'platelets', 'K/uL', ['k/ul']],
  [[50811, 51222], 'hemoglobin', '', ['g/dl']],
  [[50810, 51221], 'hematocrit', '', ['%']],
  [[50809, 50931], 'glucose', '', ['mg/dl']],
  [[50824, 50983], 'sodium', 'mEq/L', ['meq/l', 'mmol/l']],
  [[50822, 50971], 'potassium', 'mEq/L', ['meq/l', 'mmol/l']],
  [[50806, 50902], 'chloride', 'mEq/L', ['meq/l', 'mmol/l']],
  [[50803, 50882], 'bicarbonate', 'mEq/L', ['meq/l', 'mmol/l']],
  [[50802], 'baseExcess', 'mEq/L', ['meq/l', 'mmol/l'], 'arterial'],
  [[50820], 'ph', '', ['units'], 'arterial'],
  [[50818], 'paco2', '', ['mm hg', 'mmhg'], 'arterial'],
  [[50821], 'pao2', '', ['mm hg', 'mmhg'], 'arterial'],
  [[50817], 'sao2', '', ['%'], 'arterial'],
  [[50885], 'bilirubinTotal', '', ['mg/dl']],
  [[50883], 'bilirubinDirect', '', ['mg/dl']],
  [[50878], 'ast', 'IU/L', ['iu/l', 'u/l']],
  [[50863], 'alkalinePhosphatase', 'IU/L', ['iu/l', 'u/l']],
  [[50893], 'calcium', '', ['mg/dl']],
  [[50960], 'magnesium', '', ['mg/dl']],
  [[50970], 'phosphate', '', ['mg/dl']],
  [[51002], 'troponinI', '', ['ng/ml']],
  [[51275], 'ptt', 'sec', ['sec', 'seconds']],
  [[51214], 'fibrinogen', '', ['mg/dl']],
  [[50800], 'pao2', '', [], 'specimen'],
]

/** All items in the order in which the values of one moment are told: charted before laboratory, then as listed above. */
export const ITEMS: readonly Item[] = [
  ...rows('chartevents', 'charted', CHARTED),
  ...rows('outputevents', 'charted', OUTPUTS),
  ...rows('labevents', 'laboratory', LABORATORY),
]

function rows (table: ItemTable, kind: ObservationKind, lines: readonly Line[]): Item[] {
  return lines.flatMap(([ids, concept, unit, written, role = 'value']) => ids.map(id => ({ id, table, kind, role, concept, unit, written })))
}

/** Item id to position in `ITEMS`, of one table. */
export function itemsOf (table: ItemTable): ReadonlyMap<number, number> {
  return new Map(ITEMS.flatMap((item, index) => item.table === table ? [[item.id, index] as const] : []))
}
