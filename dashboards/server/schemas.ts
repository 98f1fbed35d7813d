/** JSON schemas of every answer; they are the OpenAPI components, and what serialises the answers. */
type Schema = Readonly<Record<string, unknown>>

export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const whole: Schema = { type: 'integer' }
export const number: Schema = { type: 'number' }
export const numberOrNull: Schema = { type: ['number', 'null'] }
export const timeMs: Schema = { type: 'integer', description: 'milliseconds since 1970 UTC' }
const timeMsOrNull: Schema = { type: ['number', 'null'], description: 'milliseconds since 1970 UTC' }
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
export const ref = (id: string): Schema => ({ $ref: `${id}#` })
export const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

/** An object of exactly these properties, all required. */
export function exactly (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false, ...more }
}

const ALERT_STATE: Schema = {
  type: 'string', enum: ['active', 'acknowledged', 'latched', 'cleared'],
  description: 'active: the condition holds; acknowledged: somebody has seen it and it still holds; latched: it has gone, and somebody must still see it; cleared: over',
}

const HEALTH: Schema = exactly({ state: { type: 'string', enum: ['up', 'waiting', 'failed'], description: 'waiting: its counterparty or the log is away, and it tries again; failed: it needs a person' }, since: timeMs, why: text })

const FEED: Schema = exactly({
  name: text, connector: text, endpoint: text, site: text, zone: text, health: HEALTH,
  configuration: exactly({ state: { type: 'string', enum: ['current', 'refused'], description: 'refused: a newer version of its files has faults, or its connector cannot start with it, and the last good one holds' }, faults: listOf(text) }),
  counts: exactly({ published: whole, duplicates: whole, refused: whole, archived: whole, codesIgnored: { ...whole, description: 'parts of messages whose codes are ignored' } }, { description: 'messages since the start' }),
  codes: { ...whole, description: 'rows of its table' },
  clocks: { ...orNull(exactly({
    byDistance: exactly({ inStep: whole, seconds: whole, minutes: whole, hours: whole, days: whole, unknown: whole }),
    worst: listOf(exactly({ device: text, offsetMs: { ...whole, description: 'its clock is behind; negative: ahead' }, looks: { type: 'string', enum: ['off', 'zone', 'dateLost'], description: 'zone: by whole or half hours, summer time or the time zone; dateLost: by half a year or more, the battery' }, heardAt: timeMs })),
  })), description: 'clocks of the devices that were heard in the last day: how many are how far off, and those furthest out' },
  unmapped: listOf(exactly({ system: text, code: text, text, unit: text, count: whole, firstAt: timeMs, lastAt: timeMs })),
  others: { ...whole, description: 'occurrences of unmapped codes that are not listed' },
})

const LETTER: Schema = exactly({
  offset: whole, cause: text, detail: { ...text, description: 'what and where, never the value' }, source: text, feed: { ...text, description: 'the feed that can read it again; empty: none' }, refusedAt: timeMs, bytes: whole,
  partition: { ...whole, description: 'where the engine met it; -1 for what a connector refused' }, position: whole, state: { type: 'string', enum: ['open', 'retried', 'dropped'] }, retryable: flag, attempts: whole,
  last: orNull(exactly({ action: { type: 'string', enum: ['retried', 'dropped'] }, outcome: text, cause: text, detail: text, at: timeMs, by: text })),
})

export const SHARED_SCHEMAS: readonly Schema[] = [
  { $id: 'Error', ...exactly({ error: exactly({ code: text, message: text, action: { ...text, description: 'what to do about it' } }) }) },
  { $id: 'Identity', ...exactly({ id: text, familyName: text, givenName: text, birthDate: text }) },
  { $id: 'Reading', ...exactly({ concept: text, value: numberOrNull, unit: { ...text, description: 'UCUM' }, eventTime: timeMs, stale: flag }) },
  { $id: 'Reason', ...exactly({ feature: text, value: numberOrNull, contribution: { ...numberOrNull, description: 'points of a score, or log-odds of a model' }, eventTime: timeMsOrNull }) },
  { $id: 'Score', ...exactly({ model: text, modelVersion: text, view: text, viewVersion: whole, asOf: timeMs, probability: numberOrNull, presentShare: numberOrNull, reasons: listOf(ref('Reason')) }) },
  {
    $id: 'Alert', ...exactly({
      id: text, patient: { ...text, description: 'pseudonym' }, patientId: { ...text, description: 'id as the source sends it' }, ward: text, bed: text,
      rule: text, priority: { type: 'string', enum: ['high', 'medium', 'low'] }, state: ALERT_STATE, raisedAt: timeMs, changedAt: timeMs, onsetEventTime: timeMsOrNull,
      value: numberOrNull, threshold: numberOrNull, missing: listOf(text), reasons: listOf(ref('Reason')), acknowledgedBy: text, basis: text,
    }),
  },
  { $id: 'News2', ...exactly({ score: whole, atLeast: { ...flag, description: 'parts are missing: the score is a lower bound' }, missing: listOf(text), asOf: timeMs }) },
  {
    $id: 'Patient', ...exactly({
      id: { ...text, description: 'id as the source sends it' }, patient: { ...text, description: 'pseudonym' }, identity: orNull(ref('Identity')),
      ward: text, bed: text, admitted: flag, ageYears: numberOrNull, sex: text, readings: listOf(ref('Reading')), news2: orNull(ref('News2')), score: orNull(ref('Score')), alerts: listOf(ref('Alert')),
    }),
  },
  { $id: 'ViewValues', ...exactly({ view: text, version: whole, asOf: timeMsOrNull, features: listOf(exactly({ name: text, unit: text, present: flag, value: numberOrNull, eventTime: timeMsOrNull, ageMs: numberOrNull })) }) },
  { $id: 'Features', ...exactly({ id: text, patient: text, now: timeMs, views: listOf(ref('ViewValues')) }) },
  {
    $id: 'Trends', ...exactly({
      id: text, patient: text, from: timeMs, to: timeMs,
      series: listOf(exactly({ concept: text, unit: text, eventTimes: listOf(timeMs), values: listOf(numberOrNull), kinds: listOf(text) })),
      risk: listOf(exactly({ model: text, asOfs: listOf(timeMs), probabilities: listOf(numberOrNull) })),
    }),
  },
  { $id: 'Drift', ...exactly({ view: text, viewVersion: whole, feature: text, windowStart: timeMs, windowEnd: timeMs, count: whole, psi: numberOrNull, threshold: numberOrNull, alarm: flag, missingShare: numberOrNull, referenceMissingShare: numberOrNull }) },
  { $id: 'View', ...exactly({ name: text, version: whole, ttlMs: number, features: listOf(exactly({ name: text, unit: text })) }) },
  { $id: 'Feed', ...FEED },
  { $id: 'DeadLetter', ...LETTER },
  {
    $id: 'Pipeline', ...exactly({
      now: timeMs,
      log: exactly({ driver: { type: 'string', enum: ['embedded', 'direct', 'native'] }, state: { type: 'string', enum: ['on', 'away'] }, why: text }),
      topics: listOf(exactly({ topic: text, partitions: whole, records: whole, perSecond: numberOrNull })),
      processors: listOf(exactly({ name: text, lag: numberOrNull, perSecond: numberOrNull, state: text })),
      connectors: listOf(exactly({ name: text, endpoint: text, health: HEALTH, counters: listOf(exactly({ what: text, count: whole })) })),
      deadLetters: exactly({ total: whole, open: whole, byCause: { type: 'object', additionalProperties: whole }, newest: listOf(exactly({ offset: whole, cause: text, detail: text, source: text, refusedAt: timeMs, bytes: whole })) }),
      late: whole, leftBehind: whole, offline: exactly({ state: { type: 'string', enum: ['on', 'off', 'away'] }, why: text }), uptimeMs: number,
    }),
  },
]

/** `answer` on 200 and `Error` on these other statuses. */
export function responses (answer: Schema, ...errors: readonly number[]): Record<number, Schema> {
  return Object.fromEntries([[200, answer], ...errors.map(status => [status, ref('Error')] as const)])
}

export const patientParams: Schema = exactly({ id: { type: 'string', minLength: 1, maxLength: 256, description: 'the id as the source sends it (PID-3.1), or the pseudonym' } })
