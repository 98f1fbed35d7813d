import type { FastifyInstance } from 'fastify'
import { BOARD_SORTS, SEARCH_LIMITS, type BoardAlertState, type BoardQuery, type BoardSort } from '../../features/board/index.ts'
import { listOf, ref, responses } from './schemas.ts'
import type { DashboardSources } from './sources.ts'
import { wirePatient } from './to-wire.ts'
import type { WirePatient } from './wire.ts'

/** What `alert=` may ask for: the most urgent of a patient's open alerts is in one of these states. */
const ALERT_SELECTIONS = {
  active: ['active', 'latched'], latched: ['latched'], acknowledged: ['acknowledged'], open: ['active', 'latched', 'acknowledged'], none: ['none'],
} as const satisfies Record<string, readonly BoardAlertState[]>

const PAGE_MAX = 50_000

interface Asked {
  readonly ward?: string
  readonly bed?: string
  readonly admitted?: boolean
  readonly onBoard?: boolean
  readonly alert?: keyof typeof ALERT_SELECTIONS
  readonly news2Min?: number
  readonly riskMin?: number
  readonly q?: string
  readonly sort: BoardSort
  readonly descending?: boolean
  readonly offset: number
  readonly limit: number
}

const PARAMETERS: Readonly<Record<keyof Asked, object>> = {
  ward: { type: 'string', maxLength: 64, description: 'the whole name, without regard to case and diacritics; empty: in no ward' },
  bed: { type: 'string', maxLength: 64, description: 'as ward' },
  admitted: { type: 'boolean' },
  onBoard: { type: 'boolean', description: 'admitted, or alerting, or measured lately' },
  alert: { type: 'string', enum: Object.keys(ALERT_SELECTIONS), description: 'the most urgent open alert of the patient is: active or latched (active), over and seen by nobody (latched), seen and still holding (acknowledged), any of these (open); none: no alert is open' },
  news2Min: { type: 'integer', minimum: 0, maximum: 20 },
  riskMin: { type: 'number', minimum: 0, maximum: 1, description: 'probability; compared in millionths' },
  q: { type: 'string', maxLength: SEARCH_LIMITS.textLength, description: `words, of which the first ${SEARCH_LIMITS.words} must all be found in ward, bed or the names of open alerts: by their beginning, a number whole` },
  sort: { type: 'string', enum: [...BOARD_SORTS], default: 'concern', description: 'concern: open alerts, then NEWS2, then risk; place: ward, then bed; updated: newest value. Equals stand by place.' },
  descending: { type: 'boolean', description: 'default: false for place, else true. What is not known stands last in either direction.' },
  offset: { type: 'integer', minimum: 0, maximum: PAGE_MAX, default: 0 },
  limit: { type: 'integer', minimum: 1, maximum: PAGE_MAX, default: 1_000 },
}

/** What is said of an answer beside its list; the list is as it always was. */
const SEARCH_HEADERS = { total: 'latido-total', by: 'latido-search-by', why: 'latido-search-why' } as const

const HEADERS = {
  [SEARCH_HEADERS.total]: { schema: { type: 'integer' }, description: 'all that match, of which the list is a page' },
  [SEARCH_HEADERS.by]: { schema: { type: 'string', enum: ['redis-search', 'own-index'] }, description: 'what was searched' },
  [SEARCH_HEADERS.why]: { schema: { type: 'string' }, description: 'why Redis was not searched, where it was expected to be' },
}

export function patientListRoute (app: FastifyInstance, sources: DashboardSources): void {
  app.get<{ Querystring: Asked }>('/api/patients', {
    schema: {
      summary: 'Patients with their latest values, scores and alerts; searched, in order, a page at a time', tags: ['patients'],
      querystring: { type: 'object', properties: PARAMETERS },
      response: { ...responses(listOf(ref('Patient')), 400, 403, 500, 503), 200: { ...listOf(ref('Patient')), headers: HEADERS } },
    },
  }, async ({ query }, reply): Promise<WirePatient[]> => {
    const { total, patients, by, why } = await sources.search(boardQuery(query))
    void reply.headers({ [SEARCH_HEADERS.total]: total, [SEARCH_HEADERS.by]: by, ...(why === undefined ? {} : { [SEARCH_HEADERS.why]: why }) })
    return patients.map(patient => wirePatient(sources, patient))
  })
}

function boardQuery ({ q, alert, descending, ...rest }: Asked): BoardQuery {
  return { ...rest, ...(q === undefined ? {} : { text: q }), ...(alert === undefined ? {} : { alertStates: ALERT_SELECTIONS[alert] }), descending: descending ?? rest.sort !== 'place' }
}
