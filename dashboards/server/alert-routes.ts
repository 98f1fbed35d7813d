import type { FastifyInstance } from 'fastify'
import type { PatientKey } from '../../streams/events/index.ts'
import { ApiError } from './api-error.ts'
import { ROLE } from './feed-routes.ts'
import { alertOfRow, latestOfEach, patientOfRow } from './history.ts'
import { exactly, listOf, ref, responses, text } from './schemas.ts'
import type { DashboardSources } from './sources.ts'
import { whereabouts, wireAlerts, type Whereabouts } from './to-wire.ts'
import type { WireAlert, WireAlertState } from './wire.ts'

/** What `state=` may ask for, and the states that it means. */
const SELECTIONS = {
  active: ['active', 'latched'], latched: ['latched'], acknowledged: ['acknowledged'], open: ['active', 'latched', 'acknowledged'],
  cleared: ['cleared'], all: ['active', 'latched', 'acknowledged', 'cleared'],
} as const satisfies Record<string, readonly WireAlertState[]>
type Selection = keyof typeof SELECTIONS

const SELECTION_TEXT = 'active: wants attention, nobody has acknowledged it (active or latched); latched: its condition has gone and nobody has acknowledged it; acknowledged: seen, still holding; '
  + 'open: all that are not cleared; cleared and all: with past alerts from the offline store where it is on'

/** Who acknowledged, where the caller does not say. */
const DEFAULT_ACKNOWLEDGER = 'bedside'
const HISTORY_ROWS_MAX = 2_000

export function alertRoutes (app: FastifyInstance, sources: DashboardSources): void {
  app.get<{ Querystring: { state: Selection, limit: number } }>('/api/alerts', {
    schema: {
      summary: 'Alerts, newest change first', tags: ['alerts'],
      querystring: { type: 'object', properties: { state: { type: 'string', enum: Object.keys(SELECTIONS), default: 'active', description: SELECTION_TEXT }, limit: { type: 'integer', minimum: 1, maximum: 10_000, default: 1_000 } } },
      response: responses(listOf(ref('Alert')), 400, 403, 500, 503),
    },
  }, async ({ query: { state, limit } }): Promise<readonly WireAlert[]> => {
    const states: readonly WireAlertState[] = SELECTIONS[state]
    const live = await wireAlerts(sources, await sources.activeAlerts())
    const past = states.includes('cleared') ? await history(sources) : []
    return latestOfEach(live, past).filter(alert => states.includes(alert.state)).slice(0, limit)
  })

  app.post<{ Params: { id: string }, Body: { by?: string } }>('/api/alerts/:id/acknowledge', {
    bodyLimit: 4_096,
    schema: {
      summary: 'Acknowledges an alert; it becomes a record of the log, and the alert changes when the log has it', tags: ['alerts'],
      params: exactly({ id: { type: 'string', minLength: 1, maxLength: 256 } }),
      body: { type: 'object', properties: { by: { ...ROLE, description: 'role or pseudonym of who acknowledges, never a name', default: DEFAULT_ACKNOWLEDGER } } },
      response: { 202: exactly({ id: text, state: { type: 'string', enum: ['accepted'] } }), 400: ref('Error'), 403: ref('Error'), 404: ref('Error'), 409: ref('Error'), 415: ref('Error'), 500: ref('Error'), 503: ref('Error') },
    },
  }, async ({ params: { id }, body: { by } }, reply) => {
    const outcome = await sources.acknowledge(id, by ?? DEFAULT_ACKNOWLEDGER)
    switch (outcome.kind) {
      case 'accepted': return reply.code(202).send({ id, state: 'accepted' })
      case 'unknown-alert': throw new ApiError(404, 'ALERT_UNKNOWN', 'there is no alert with this id', 'GET /api/alerts?state=active lists the alerts that can be acknowledged')
      case 'already': throw new ApiError(409, 'ALERT_NOT_OPEN', `the alert is already ${outcome.state}`, 'nothing is to be done; GET /api/alerts?state=all shows it')
    }
  })
}

async function history (sources: DashboardSources): Promise<readonly WireAlert[]> {
  const rows = await sources.offline?.alertHistory(undefined, HISTORY_ROWS_MAX) ?? []
  const places = new Map<PatientKey, Whereabouts>()
  const alerts: WireAlert[] = []
  for (const row of rows) {
    const patient = patientOfRow(row)
    if (patient === undefined) continue
    if (!places.has(patient)) places.set(patient, await whereabouts(sources, patient))
    alerts.push(...[alertOfRow(row, places.get(patient)!)].filter(alert => alert !== undefined))
  }
  return alerts
}
