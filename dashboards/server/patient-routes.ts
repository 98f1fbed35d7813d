import type { FastifyInstance } from 'fastify'
import { CONCEPTS, CONCEPT_IDS, isConceptId, type ConceptId, type PatientKey } from '../../streams/events/index.ts'
import { ApiError, patientUnknown } from './api-error.ts'
import { patientListRoute } from './patient-list.ts'
import { listOf, patientParams, ref, responses } from './schemas.ts'
import { alertOfRow, latestOfEach } from './history.ts'
import type { DashboardSources } from './sources.ts'
import { finite, sourceId, whereabouts, wireAlert, wirePatient, wireViewValues } from './to-wire.ts'
import type { WireAlert, WireFeatures, WirePatient, WireRisk, WireSeries, WireTrends } from './wire.ts'

const HOUR_MS = 3_600_000
const TREND_POINTS_MAX = 1_000
const HISTORY_ROWS_MAX = 200
const TREND_CONCEPTS: readonly ConceptId[] = ['heartRate', 'respiratoryRate', 'spo2', 'systolic', 'diastolic', 'meanPressure', 'temperature', 'lactate', 'creatinine']

interface ById { readonly id: string }

/** The pseudonym of whoever the caller means by a source's id or by the pseudonym itself. Throws PATIENT_UNKNOWN. */
async function resolve (sources: DashboardSources, id: string): Promise<PatientKey> {
  const known = sources.keyOf(id)
  if (known !== undefined) return known
  const pseudonym = id as PatientKey
  if (await sources.patient(pseudonym) === undefined) throw patientUnknown()
  return pseudonym
}

export function patientRoutes (app: FastifyInstance, sources: DashboardSources): void {
  patientListRoute(app, sources)

  app.get<{ Params: ById }>('/api/patients/:id', {
    schema: { summary: 'One patient', tags: ['patients'], params: patientParams, response: responses(ref('Patient'), 400, 403, 404, 500, 503) },
  }, async ({ params: { id } }): Promise<WirePatient> => {
    const summary = await sources.patient(await resolve(sources, id))
    if (summary === undefined) throw patientUnknown()
    return wirePatient(sources, summary)
  })

  app.get<{ Params: ById }>('/api/patients/:id/features', {
    schema: { summary: 'The latest features of one patient, view by view', tags: ['patients'], params: patientParams, response: responses(ref('Features'), 400, 403, 404, 500, 503) },
  }, async ({ params: { id } }): Promise<WireFeatures> => {
    const patient = await resolve(sources, id)
    return { id: sourceId(sources, patient), patient, now: sources.clock.now(), views: (await sources.features(patient)).map(wireViewValues) }
  })

  app.get<{ Params: ById, Querystring: { limit: number } }>('/api/patients/:id/alerts', {
    schema: {
      summary: 'Alerts of one patient, newest change first; past ones too where the offline store is on', tags: ['patients'], params: patientParams,
      querystring: { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: HISTORY_ROWS_MAX, default: 50 } } },
      response: responses(listOf(ref('Alert')), 400, 403, 404, 500, 503),
    },
  }, async ({ params: { id }, query: { limit } }): Promise<readonly WireAlert[]> => {
    const patient = await resolve(sources, id)
    const at = await whereabouts(sources, patient)
    const live = (await sources.activeAlerts()).filter(alert => alert.patient === patient).map(alert => wireAlert(alert, at))
    const past = await sources.offline?.alertHistory(patient, HISTORY_ROWS_MAX).catch(() => []) ?? []
    return latestOfEach(live, past.flatMap(row => alertOfRow(row, at) ?? [])).slice(0, limit)
  })

  trendRoute(app, sources)
}

function trendRoute (app: FastifyInstance, sources: DashboardSources): void {
  app.get<{ Params: ById, Querystring: { concepts?: string, hours: number } }>('/api/patients/:id/trends', {
    schema: {
      summary: 'Readings and risk over time, from the offline store', tags: ['patients'], params: patientParams,
      querystring: {
        type: 'object', properties: {
          concepts: { type: 'string', maxLength: 1_000, description: `comma-separated, of: ${CONCEPT_IDS.join(', ')}` },
          hours: { type: 'number', exclusiveMinimum: 0, maximum: 24 * 31, default: 24 },
        },
      },
      response: responses(ref('Trends'), 400, 403, 404, 500, 503),
    },
  }, async ({ params: { id }, query: { concepts, hours } }): Promise<WireTrends> => {
    const wanted = concepts === undefined ? TREND_CONCEPTS : parseConcepts(concepts)
    const patient = await resolve(sources, id)
    const { offline } = sources
    if (offline === undefined) throw new ApiError(503, 'OFFLINE_OFF', 'trends rest on the offline store, which is off on this machine', 'GET /api/pipeline says why (offline.why); current values are at /api/patients/{id}')
    const to = sources.clock.now()
    const from = to - hours * HOUR_MS
    const [points, scores] = await Promise.all([offline.trends(patient, wanted, from, to, TREND_POINTS_MAX), offline.scores(patient, from, to, TREND_POINTS_MAX)])
    return { id: sourceId(sources, patient), patient, from: Math.round(from), to, series: wanted.map(concept => seriesOf(concept, points)), risk: riskOf(scores) }
  })
}

function parseConcepts (text: string): readonly ConceptId[] {
  const names = [...new Set(text.split(',').map(name => name.trim()).filter(name => name !== ''))]
  if (names.length === 0 || !names.every(isConceptId)) {
    throw new ApiError(400, 'REQUEST_INVALID', 'query.concepts: it names a concept that does not exist', `use names of: ${CONCEPT_IDS.join(', ')}`)
  }
  return names
}

type TrendPoints = Awaited<ReturnType<NonNullable<DashboardSources['offline']>['trends']>>
type ScorePoints = Awaited<ReturnType<NonNullable<DashboardSources['offline']>['scores']>>

function seriesOf (concept: ConceptId, points: TrendPoints): WireSeries {
  const own = points.filter(point => point.concept === concept).sort((a, b) => a.eventTime - b.eventTime)
  return { concept, unit: CONCEPTS[concept].unit, eventTimes: own.map(p => p.eventTime), values: own.map(p => finite(p.value)), kinds: own.map(p => p.kind) }
}

function riskOf (scores: ScorePoints): readonly WireRisk[] {
  return [...new Set(scores.map(score => score.model))].sort().map(model => {
    const own = scores.filter(score => score.model === model).sort((a, b) => a.asOf - b.asOf)
    return { model, asOfs: own.map(s => s.asOf), probabilities: own.map(s => finite(s.probability)) }
  })
}

