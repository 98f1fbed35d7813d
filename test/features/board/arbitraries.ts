import fc from 'fast-check'
import { BOARD_ALERT_STATES, BOARD_SORTS, type BoardEntity, type BoardQuery } from '../../../features/board/index.ts'

/** Few names, so that ties and near misses are common: case, diacritics, numbers, punctuation, other scripts. */
const NAMES = ['', 'ICU', 'icu', 'ICÚ', 'ICU 2', 'ICU-10', 'Médecine A', 'MEDECINE a', 'O\'Brien-2', 'Straße', 'STRASSE', '1', '01', '10', '1A', 'a|b', '{x}', '病棟', 'ß', '@ward:(1)', '  MED  ', '*', '\u{1F6CF}'] as const
const TEXTS = [...NAMES, 'NEWS2 emergency', 'NEWS2 urgent emergencia', 'Sepsis risk riesgo', 'No data from bedside'] as const
const TYPED = ['', ' ', 'icu', 'I', 'icu 1', '1', '0', '10', 'NEWS', 'news2 em', 'médec', 'obrien', 'O\'Brien-2 *()|@{}', '-@ward:{wicu}', '"', '~', '\\', '病', 'stras', 'ß', '%%a%%', 'a|b', 'the', 'from data no', '[0 9]', '\u0000', 'x'.repeat(90)] as const

/** Numbers at and about the limits that are asked for. */
const news2 = fc.option(fc.integer({ min: 0, max: 8 }), { nil: null })
const risk = fc.option(fc.oneof(fc.constantFrom(0, 1e-9, 0.1, 0.3, 0.30000000000000004, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true })), { nil: null })

export function entityOf (patient: string, given: Partial<BoardEntity> = {}): BoardEntity {
  return { patient, ward: 'ICU', bed: '1', admitted: true, onBoard: true, ageYears: 60, sex: 'female', news2: 3, news2Missing: [], risk: 0.1, riskModel: 'sepsis 1', alertState: 'none', alertPriority: 'none', updatedAt: 1_000, text: 'ICU 1', ...given }
}

export const entity: fc.Arbitrary<BoardEntity> = fc.record({
  patient: fc.constantFrom(...'abcdefghijklmnop').map(letter => `p${letter}`),
  ward: fc.constantFrom(...NAMES), bed: fc.constantFrom(...NAMES),
  admitted: fc.boolean(), onBoard: fc.boolean(), ageYears: fc.option(fc.integer({ min: 0, max: 110 }), { nil: null }), sex: fc.constantFrom('female', 'male', 'unknown'),
  news2, news2Missing: fc.subarray(['news2Pulse', 'news2Spo2']), risk, riskModel: fc.constantFrom('', 'sepsis 1'),
  alertState: fc.constantFrom(...BOARD_ALERT_STATES), alertPriority: fc.constantFrom('high', 'medium', 'low', 'none'),
  updatedAt: fc.constantFrom(-5, 0, 1, 1_000, 1.7e12), text: fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 }).map(texts => texts.join(' ')),
})

export const query: fc.Arbitrary<BoardQuery> = fc.record({
  ward: fc.constantFrom(...NAMES), bed: fc.constantFrom(...NAMES), admitted: fc.boolean(), onBoard: fc.boolean(),
  news2Min: fc.integer({ min: 0, max: 8 }), riskMin: fc.constantFrom(0, 1e-9, 0.1, 0.3, 0.5, 1), alertStates: fc.subarray([...BOARD_ALERT_STATES]), text: fc.oneof(fc.constantFrom(...TYPED), fc.constantFrom(...TEXTS), fc.string({ maxLength: 6 })),
  sort: fc.constantFrom(...BOARD_SORTS), descending: fc.boolean(), offset: fc.nat(4), limit: fc.integer({ min: 1, max: 8 }),
}, { requiredKeys: ['sort', 'descending', 'offset', 'limit'] }).map(one => thin(one))

/** Most searches ask for one or two things; all at once would find nobody. */
function thin (all: BoardQuery): BoardQuery {
  const { sort, descending, offset, limit, ...conditions } = all
  const names = Object.keys(conditions).sort().slice(offset, offset + 1 + limit % 2)
  return { ...Object.fromEntries(Object.entries(conditions).filter(([name]) => names.includes(name))), sort, descending, offset: offset % 3, limit }
}
