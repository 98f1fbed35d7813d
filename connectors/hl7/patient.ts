import type { Sex } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { SourceIdentity } from '../kit/port.ts'
import type { Segment } from './segment.ts'

/** PID to an identity; undefined if PID-3 names nobody. Of several identifiers the medical record number (MR) wins, then PI, then the first. */
export function identityOf (pid: Segment): SourceIdentity | undefined {
  const ids = Array.from({ length: pid.repetitions(3) }, (_, i) => ({ id: pid.said(3, 1, i), type: pid.said(3, 5, i).toUpperCase() })).filter(({ id }) => id !== '')
  const id = (ids.find(({ type }) => type === 'MR') ?? ids.find(({ type }) => type === 'PI') ?? ids[0])?.id
  if (id === undefined) return undefined
  const familyName = pid.said(5, 1)
  const givenName = pid.said(5, 2)
  const birthDate = birthDateOf(pid)
  return { id, ...(familyName === '' ? {} : { familyName }), ...(givenName === '' ? {} : { givenName }), ...(birthDate === undefined ? {} : { birthDate }) }
}

/** PID-7 as an ISO date, as far as it is known. */
export function birthDateOf (pid: Segment): string | undefined {
  const match = /^(\d{4})(?:(\d\d)(\d\d)?)?/.exec(pid.said(7))
  if (match === null) return undefined
  const [, year, month, day] = match
  const parts = [year, month, day].filter(part => part !== undefined)
  const complete = [year ?? '', month ?? '01', day ?? '01'].join('-')
  const at = new Date(`${complete}T00:00:00Z`)
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== complete ? undefined : parts.join('-')
}

const AGE_MAX = 90

/** Completed years at a moment; everyone over 89 is 90 (45 CFR 164.514(b)(2)); -1 unknown. */
export function ageAt (birthDate: string | undefined, at: EventTimeMs): number {
  if (birthDate === undefined) return -1
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  const then = new Date(at)
  const before = then.getUTCMonth() + 1 < month || (then.getUTCMonth() + 1 === month && then.getUTCDate() < day)
  const age = then.getUTCFullYear() - year - (before ? 1 : 0)
  return age < 0 || age > 150 ? -1 : Math.min(age, AGE_MAX)
}

/** HL7 table 0001. */
const SEXES: Readonly<Record<string, Sex>> = { F: 'female', M: 'male', O: 'other', A: 'other', N: 'other', X: 'other' }

export function sexOf (pid: Segment): Sex { return SEXES[pid.said(8).toUpperCase()] ?? 'unknown' }
