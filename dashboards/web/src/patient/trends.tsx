import { useMemo, type ReactNode } from 'react'
import type { WireRisk, WireSeries, WireTrends } from '../../../server/wire.ts'
import { usePolled } from '../api.ts'
import { GAP_MS } from '../charts/gaps.ts'
import { TrendChart, type ChartLine } from '../charts/trend-chart.tsx'
import { useI18n, type I18n } from '../i18n/index.tsx'
import { translateName } from '../i18n/translate.ts'
import { useStored } from '../shell/stored.ts'

const SPANS_HOURS = [1, 6, 12, 24, 72] as const
const TRENDS_POLL_MS = 10_000
/** The server thins to this many points a line. */
const POINTS_MAX = 1_000
const CHARTS: readonly (readonly [string, ...string[]])[] = [['heartRate'], ['systolic', 'meanPressure', 'diastolic'], ['respiratoryRate'], ['spo2'], ['temperature'], ['lactate'], ['creatinine'], ['glucose'], ['potassium'], ['urineOutput']]
/** Scales span at least this, in the concept's unit. */
const SPAN_MIN: Readonly<Record<string, number>> = { heartRate: 40, systolic: 60, respiratoryRate: 12, spo2: 8, temperature: 2, lactate: 2, creatinine: 0.6, glucose: 60, potassium: 1 }
/** Drawn even when empty: that they are empty is worth seeing. */
const ALWAYS: ReadonlySet<string> = new Set(['heartRate', 'systolic', 'respiratoryRate', 'spo2', 'temperature', 'lactate', 'creatinine'])

export function Trends ({ patient }: { readonly patient: string }): ReactNode {
  const { t } = useI18n()
  const [stored, setSpan] = useStored('latido.span', '6')
  const hours = SPANS_HOURS.find(span => String(span) === stored) ?? 6
  const { data, failure } = usePolled<WireTrends>(`/api/patients/${encodeURIComponent(patient)}/trends?hours=${hours}&concepts=${CHARTS.flat().join(',')}`, TRENDS_POLL_MS)
  return (
    <section className="panel trends" aria-labelledby="trends">
      <div className="panel-head"><h2 id="trends">{t('patient.trends')}</h2>
        <div className="spans" role="group" aria-label={t('trends.hours')}>{SPANS_HOURS.map(span => <button key={span} type="button" aria-pressed={span === hours} onClick={() => { setSpan(String(span)) }}>{t('trends.span', { n: span })}</button>)}</div>
      </div>
      {failure !== undefined && <p className="notice">{t('trends.off', { reason: failure.message })}</p>}
      {data !== undefined && <Charts trends={data} bucketMs={hours * 3_600_000 / POINTS_MAX} />}
      <p className="quiet">{t('trends.legend')}</p>
    </section>
  )
}

function Charts ({ trends, bucketMs }: { readonly trends: WireTrends, readonly bucketMs: number }): ReactNode {
  const i18n = useI18n()
  const { t, format } = i18n
  const charts = useMemo(() => CHARTS.map(concepts => ({ concepts, ...chartOf(concepts, trends, i18n) })).filter(chart => ALWAYS.has(chart.concepts[0]) || chart.lines.length > 0), [trends, i18n])
  const risk = useMemo(() => trends.risk.map(line => riskLine(line)), [trends])
  return (
    <div className="charts">
      <TrendChart title={t('trends.risk')} unit="%" lines={risk} from={trends.from} to={trends.to} bucketMs={bucketMs} write={format.percent} range={SHARE} />
      {charts.map(chart => <TrendChart key={chart.concepts[0]} title={chart.title} unit={chart.unit} lines={chart.lines} from={trends.from} to={trends.to} bucketMs={bucketMs} write={chart.write} spanMin={SPAN_MIN[chart.concepts[0]] ?? 0} />)}
    </div>
  )
}

const SHARE = [0, 1] as const

interface Chart { readonly title: string, readonly unit: string, readonly lines: readonly ChartLine[], readonly write: (value: number) => string }

function chartOf (concepts: readonly [string, ...string[]], { series }: WireTrends, { t, format }: I18n): Chart {
  const own = concepts.map(concept => series.find(one => one.concept === concept)).filter(one => one !== undefined)
  return {
    title: concepts.length > 1 ? t('trends.bloodPressure') : translateName(t, 'concept', concepts[0]),
    unit: format.unit(own[0]?.unit ?? ''),
    lines: own.filter(one => one.eventTimes.length > 0).map(one => lineOf(one, concepts.length > 1 ? translateName(t, 'line', one.concept) : translateName(t, 'concept', one.concept))),
    write: value => format.reading(concepts[0], value),
  }
}

function lineOf ({ eventTimes, values, kinds }: WireSeries, name: string): ChartLine { return { name, readings: { times: eventTimes, values, kinds } } }

/** A risk that follows monitors breaks as they do; one that follows charted values is as sparse as they are. */
function riskLine ({ model, asOfs, probabilities }: WireRisk): ChartLine {
  const meanIntervalMs = asOfs.length < 2 ? Infinity : (asOfs.at(-1)! - asOfs[0]!) / (asOfs.length - 1)
  const kind = meanIntervalMs < GAP_MS['device']! / 2 ? 'device' : 'charted'
  return { name: model, readings: { times: asOfs, values: probabilities, kinds: asOfs.map(() => kind) } }
}
