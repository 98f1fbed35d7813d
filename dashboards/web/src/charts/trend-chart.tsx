import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useI18n } from '../i18n/index.tsx'
import { useTheme } from '../shell/theme.ts'
import { joinLines, openGap, withGaps, type Gap, type Readings } from './gaps.ts'

export interface ChartLine { readonly name: string, readonly readings: Readings }
interface Props {
  readonly title: string
  readonly unit: string
  readonly lines: readonly ChartLine[]
  readonly from: number
  readonly to: number
  readonly bucketMs: number
  readonly write: (value: number) => string
  /** Fixed scale, for shares. */
  readonly range?: readonly [number, number]
  /** The scale spans at least this, so that noise does not look like a change. */
  readonly spanMin?: number
}

const HEIGHT_PX = 132
const DASHES = [[], [5, 3], [2, 3]] as const

/** One small chart: lines that break at gaps, gaps shaded, a cursor that all charts of the page share. */
export function TrendChart ({ title, unit, lines, from, to, bucketMs, write, range, spanMin = 0 }: Props): ReactNode {
  const { t, format } = useI18n()
  const theme = useTheme()
  const host = useRef<HTMLDivElement>(null)
  const pointed = useRef<HTMLSpanElement>(null)
  const { data, gaps } = useMemo(() => gappedData(lines, to, bucketMs), [lines, to, bucketMs])
  const hasValues = lines.some(line => line.readings.times.length > 0)

  useEffect(() => {
    const element = host.current
    if (element === null || !hasValues) return undefined
    const colours = readColours()
    const plot = new uPlot({
      width: element.clientWidth, height: HEIGHT_PX, ms: 1, legend: { show: false }, padding: [6, 18, 0, 0],
      cursor: { sync: { key: 'trends' }, drag: { x: false, y: false }, points: { size: 7 }, y: false },
      scales: { x: { time: true, range: () => [from, to] }, y: range === undefined ? { range: (_u, low, high) => padded(low, high, spanMin) } : { range: () => [range[0], range[1]] } },
      series: [{}, ...lines.map((line, i) => ({ label: line.name, stroke: colours.lines[i % colours.lines.length]!, width: 1.75, dash: [...DASHES[i % DASHES.length]!], spanGaps: false, points: { show: isSparse(line), size: 5, fill: colours.lines[i % colours.lines.length]! } }))],
      axes: [
        { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: colours.font, size: 24, values: (_u, splits) => splits.map(ms => format.time(ms)), space: 64 },
        { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: colours.font, size: 46, values: (_u, splits) => splits.map(value => write(value)), space: 32 },
      ],
      hooks: {
        drawClear: [u => { shade(u, gaps, from, colours.gap) }],
        setCursor: [u => { if (pointed.current !== null) pointed.current.textContent = pointedText(u, write, format.time) }],
      },
    }, data, element)
    const observer = new ResizeObserver(() => { plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }) })
    observer.observe(element)
    return () => { observer.disconnect(); plot.destroy() }
  }, [data, gaps, lines, from, to, range, spanMin, write, format, theme, hasValues])

  const gapText = gaps.length === 0 ? '' : t('trends.gaps', { n: gaps.length })
  return (
    <figure className="trend" data-gaps={JSON.stringify(gaps)}>
      <figcaption>
        <span className="trend-title">{title}</span> <span className="quiet">{unit}</span>
        {lines.length > 1 && <span className="trend-lines">{lines.map((line, i) => <span key={line.name} className={`trend-key trend-key-${i}`}>{line.name}</span>)}</span>}
        <span className="trend-pointed" ref={pointed} aria-hidden="true" />
        <span className="quiet trend-gaps">{gapText}</span>
      </figcaption>
      {hasValues
        ? <div ref={host} className="trend-plot" role="img" aria-label={lines.map(line => summary(line, t, write, gapText)).join(' ')} />
        : <p className="trend-empty">{t('trends.empty')}</p>}
    </figure>
  )
}

function gappedData (lines: readonly ChartLine[], to: number, bucketMs: number): { readonly data: uPlot.AlignedData, readonly gaps: readonly Gap[] } {
  const gapped = lines.map(line => withGaps(line.readings, bucketMs))
  const { times, columns } = joinLines(gapped)
  const last = lines[0] === undefined ? undefined : openGap(lines[0].readings, to, bucketMs)
  return { data: [[...times], ...columns.map(column => [...column])] as uPlot.AlignedData, gaps: [...gapped[0]?.gaps ?? [], ...last === undefined ? [] : [last]] }
}

/** Few values are shown as points: a lone one would be no line. */
function isSparse ({ readings }: ChartLine): boolean { return readings.kinds.some(kind => kind !== 'device') || readings.times.length < 30 }

function padded (low: number, high: number, spanMin: number): [number, number] {
  const margin = Math.max((high - low) * 0.12, (spanMin - (high - low)) / 2, 0.05)
  return [low - margin, high + margin]
}

function shade (u: uPlot, gaps: readonly Gap[], from: number, colour: string): void {
  u.ctx.save()
  u.ctx.fillStyle = colour
  for (const gap of gaps) {
    const left = u.valToPos(Math.max(gap.from, from), 'x', true)
    const right = u.valToPos(gap.to, 'x', true)
    u.ctx.fillRect(left, u.bbox.top, Math.max(1, right - left), u.bbox.height)
  }
  u.ctx.restore()
}

function pointedText (u: uPlot, write: (value: number) => string, time: (ms: number) => string): string {
  const { idx } = u.cursor
  if (typeof idx !== 'number') return ''
  const values = u.data.slice(1).map(column => column[idx]).filter(value => typeof value === 'number')
  return values.length === 0 ? '' : `${time(u.data[0][idx]!)}  ${values.map(value => write(value)).join(' / ')}`
}

function summary ({ name, readings }: ChartLine, t: ReturnType<typeof useI18n>['t'], write: (value: number) => string, gaps: string): string {
  const values = readings.values.filter(value => value !== null)
  if (values.length === 0) return `${name}: ${t('trends.empty')}.`
  return t('trends.summary', { name, latest: write(values.at(-1)!), low: write(values.reduce((a, b) => Math.min(a, b))), high: write(values.reduce((a, b) => Math.max(a, b))), gaps })
}

interface Colours { readonly text: string, readonly grid: string, readonly gap: string, readonly lines: readonly string[], readonly font: string }

function readColours (): Colours {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  return { text: colour('--ink-2'), grid: colour('--grid'), gap: colour('--gap'), lines: [colour('--line-1'), colour('--line-2'), colour('--line-3')], font: `12px ${style.getPropertyValue('--font').trim()}` }
}
