import { exactly, listOf, numberOrNull, ref, text, timeMs, whole } from './schemas.ts'

type Schema = Readonly<Record<string, unknown>>

const NOW = 1_767_182_400_000
const reference: Schema = { type: 'string', minLength: 1, maxLength: 256, description: '`view`, `view:feature`, `view@version` or `view@version:feature`' }
const entityKey: Schema = { type: 'string', minLength: 1, maxLength: 256, description: 'key of the entity as on the topics; of a patient the pseudonym' }
const rows = (what: string): Schema => ({ type: 'array', items: listOf(numberOrNull), description: `${what}, for each entity in the order asked a row in the order of \`features\`; null where absent` })
const state: Schema = { type: 'string', enum: ['served', 'expired', 'never-stored'], description: 'served; expired: past the view\'s time to live, its values are withheld; never-stored: nothing of the view was ever stored. A null in a row that is served was computed and has no value: never seen, or outside its window' }
const reason: Schema = { type: 'string', enum: ['present', 'never-stored', 'expired', 'no-value'] }

const COLUMNS_EXAMPLE = {
  view: 'news2', version: 1, ttlMs: 43_200_000, features: ['news2', 'news2Pulse'], asOf: [NOW - 1_200, null], state: ['served', 'never-stored'],
  values: [[7, null], [null, null]], eventTimes: [[NOW - 4_000, null], [null, null]], agesMs: [[4_000, null], [null, null]],
}
const VIEW_EXAMPLE = { name: 'news2', version: 1, entity: 'patient', owner: 'clinical', description: 'Early warning score', ttlMs: 43_200_000, features: [{ name: 'news2', unit: '{score}' }] }

/** Components of the OpenAPI document that describe features online. */
export const FEATURE_SCHEMAS: readonly Schema[] = [
  {
    $id: 'FeatureQuery', type: 'object', required: ['entities'], additionalProperties: false,
    description: 'Which features of which entities: either `features` or `service`.',
    properties: {
      features: { ...listOf(reference), description: 'features by name; a view stands for all of its' },
      service: { type: 'string', minLength: 1, maxLength: 63, description: 'a feature service: a named list of features' },
      entities: listOf(entityKey),
    },
    examples: [{ features: ['news2:news2', 'news2:news2Pulse'], entities: ['p-1f3a', 'p-77c0'] }, { service: 'bedside', entities: ['p-1f3a'] }],
  },
  {
    $id: 'FeatureColumns', ...exactly({
      view: text, version: whole, ttlMs: { ...whole, description: 'time to live, milliseconds' }, features: listOf(text),
      asOf: { type: 'array', items: { type: ['integer', 'null'] }, description: 'for each entity: when its row was computed, milliseconds since 1970 UTC; null where nothing was ever stored' },
      state: listOf(state), values: rows('Values'), eventTimes: rows('When the oldest reading behind each value was true at the bedside, milliseconds since 1970 UTC'), agesMs: rows('How long ago that was, milliseconds'),
    }), examples: [COLUMNS_EXAMPLE],
  },
  {
    $id: 'OnlineFeatures', ...exactly({ now: { ...timeMs, description: 'ages and times to live hold as of then' }, entity: { ...text, description: 'kind of the entities' }, entities: listOf(text), views: listOf(ref('FeatureColumns')) }),
    description: 'Columns: names once for each view, then a row for each entity.', examples: [{ now: NOW, entity: 'patient', entities: ['p-1f3a', 'p-77c0'], views: [COLUMNS_EXAMPLE] }],
  },
  { $id: 'ServedFeature', ...exactly({ name: text, unit: { ...text, description: 'UCUM' }, present: { type: 'boolean' }, reason, value: numberOrNull, eventTime: numberOrNull, ageMs: numberOrNull }) },
  { $id: 'ServedView', ...exactly({ view: text, version: whole, asOf: { type: ['integer', 'null'] }, features: listOf(ref('ServedFeature')) }) },
  {
    $id: 'EntityFeatures', ...exactly({ now: timeMs, entity: text, key: text, views: listOf(ref('ServedView')) }),
    examples: [{ now: NOW, entity: 'patient', key: 'p-1f3a', views: [{ view: 'news2', version: 1, asOf: NOW - 1_200, features: [{ name: 'news2', unit: '{score}', present: true, reason: 'present', value: 7, eventTime: NOW - 4_000, ageMs: 4_000 }] }] }],
  },
  { $id: 'FeatureOfView', ...exactly({ name: text, unit: { ...text, description: 'UCUM' } }) },
  { $id: 'FeatureView', ...exactly({ name: text, version: whole, entity: text, owner: text, description: text, ttlMs: whole, features: listOf(ref('FeatureOfView')) }), examples: [VIEW_EXAMPLE] },
  { $id: 'FeatureService', ...exactly({ name: text, description: text, features: listOf(text) }), examples: [{ name: 'bedside', description: 'What a nurse watches', features: ['vitals', 'news2'] }] },
  { $id: 'Health', ...exactly({ status: { type: 'string', enum: ['ok', 'starting'] }, version: text }) },
]

export const entityParams: Schema = exactly({ entity: entityKey })
export const viewParams: Schema = exactly({ view: { type: 'string', minLength: 1, maxLength: 128, description: '`view` or `view@version`' } })
export const entityQuery: Schema = {
  type: 'object', additionalProperties: false, properties: {
    features: { type: 'string', minLength: 1, maxLength: 16_384, description: 'as in FeatureQuery, with commas between' },
    service: { type: 'string', minLength: 1, maxLength: 63, description: 'a feature service instead' },
  },
}
