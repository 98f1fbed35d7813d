import type { Laboratory } from './courses.ts'
import { CONSCIOUSNESS_ANSWERS, LABORATORY_FORM } from './messages.ts'
import type { ResultLine } from './messages.ts'
import type { Body } from './physiology.ts'

/** A charted set of observations: what a nurse writes down for NEWS2. */
export function chartedLines (body: Body, atMs: number): readonly ResultLine[] {
  const vitals = body.vitalsAt(atMs)
  const oxygen = body.oxygenAt(atMs)
  return [
    number('8867-4^Heart rate^LN', vitals.heartRate, '/min'),
    number('9279-1^Respiratory rate^LN', vitals.respiratoryRate, '/min'),
    number('59408-5^Oxygen saturation^LN', vitals.spo2, '%'),
    number('8480-6^Systolic pressure^LN', vitals.systolic, 'mm[Hg]'),
    number('8462-4^Diastolic pressure^LN', vitals.diastolic, 'mm[Hg]'),
    number('8310-5^Body temperature^LN', vitals.temperature, 'Cel', 1),
    answer('67775-7^Consciousness ACVPU^LN', CONSCIOUSNESS_ANSWERS[body.consciousnessAt(atMs)]),
    answer('OXYGEN_THERAPY^Supplemental oxygen^L', oxygen ? 'Y^Yes^HL70136' : 'N^No^HL70136'),
    ...(oxygen ? [number('3151-8^Oxygen flow^LN', 2 + 8 * body.illnessAt(atMs), 'L/min')] : []),
  ]
}

export function laboratoryLines (body: Body, wanted: readonly Laboratory[], atMs: number): readonly ResultLine[] {
  return wanted.map(laboratory => {
    const { code, unit, decimals } = LABORATORY_FORM[laboratory]
    return number(code, body.laboratoryAt(laboratory, atMs), unit, decimals)
  })
}

function number (code: string, value: number, unit: string, decimals = 0): ResultLine { return { code, type: 'NM', value: value.toFixed(decimals), unit, status: 'F' } }

function answer (code: string, value: string): ResultLine { return { code, type: 'CWE', value, unit: '', status: 'F' } }
