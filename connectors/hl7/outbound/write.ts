import { hash } from 'node:crypto'
import type { OutboundPlace, SourceIdentity } from '../../kit/index.ts'
import { formatTime } from '../time.ts'
import type { Hl7Addresses, Hl7Code } from './options.ts'

/** Text as a component of a field: delimiters become escapes (HL7 v2.6, 2.7.1), control characters spaces. */
export function escaped (text: string): string {
  return text.replace(/[|^~\\&]|[\p{Cc}]/gu, c => ESCAPES[c] ?? ' ')
}

const ESCAPES: Readonly<Record<string, string>> = { '|': '\\F\\', '^': '\\S\\', '~': '\\R\\', '\\': '\\E\\', '&': '\\T\\' }

/** Fields by their number, joined; what is missing is empty. */
export function segment (name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(0, ...Object.keys(fields).map(Number))
  const all = Array.from({ length: last }, (_, i) => fields[i + 1] ?? '')
  while (all.at(-1) === '') all.pop()
  return [name, ...all].join('|')
}

/** MSH counts its own separator as field 1, so its fields are given without 1 and 2. */
export function msh (addresses: Hl7Addresses, type: string, controlId: string, nowMs: number, profile = ''): string {
  const { sendingApplication, sendingFacility, receivingApplication, receivingFacility, processingId, version } = addresses
  const names = [sendingApplication, sendingFacility, receivingApplication, receivingFacility].map(escaped)
  return ['MSH', '^~\\&', ...names, formatTime(nowMs), '', type, controlId, processingId, version, '', '', 'AL', 'NE', '', 'UNICODE UTF-8', '', '', profile].join('|').replace(/\|+$/, '')
}

/** Who: the identifier with its namespace as assigning authority, and where. Names stay in the house. */
export function patientSegments (patient: SourceIdentity, place: OutboundPlace | undefined): readonly string[] {
  const cut = patient.id.indexOf('|')
  const [authority, id] = cut < 0 ? ['', patient.id] : [patient.id.slice(0, cut), patient.id.slice(cut + 1)]
  const pid = segment('PID', { 1: '1', 3: `${escaped(id)}^^^${escaped(authority)}^MR`, 5: '^^^^^^U' })
  return place === undefined ? [pid] : [pid, segment('PV1', { 1: '1', 2: 'I', 3: `${escaped(place.ward)}^^${escaped(place.bed)}` })]
}

export function coded ({ code, text, system }: Hl7Code): string { return [code, text, system].map(escaped).join('^') }

/** A number as HL7 has it: never an exponent (NM, 2.A.47). */
export function number (value: number): string { return value.toLocaleString('en-US', { useGrouping: false, maximumFractionDigits: 6 }) }

export function time (ms: number): string { return formatTime(ms) }

/** The same for the same item, for ever: a receiver knows a repeat by it. 20 characters, as MSH-10 holds in every version. */
export function controlIdOf (...parts: readonly (string | number)[]): string { return hash('sha256', parts.join('\n'), 'hex').slice(0, 20) }

/** Segments to the bytes of a message. */
export function message (segments: readonly string[]): Buffer { return Buffer.from(segments.map(line => `${line}\r`).join(''), 'utf8') }
