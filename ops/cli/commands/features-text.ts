import type { CatalogueFeature, CatalogueView, PlanSummary } from '../../../features/catalogue/index.ts'
import { formatDuration } from '../../../streams/time/index.ts'
import type { LintReport } from '../../run/index.ts'
import { textTable as table } from '../text-table.ts'

const kb = (bytes: number | null): string => bytes === null ? '-' : `${(bytes / 1_024).toFixed(1)} KB`
const keyOf = ({ name, version }: CatalogueView): string => `${name}@${version}`
const place = (file: string | null, line: number | null): string => file === null ? '' : line === null ? file : `${file}:${line}`

export function renderList (views: readonly CatalogueView[]): string {
  return table([
    ['VIEW', 'ENTITY', 'FEATURES', 'TTL', 'STATE', 'DEVICE STATE', 'OWNER', 'DESCRIPTION'],
    ...views.map(v => [keyOf(v), v.entity, String(v.features.length), formatDuration(v.ttlMs), v.state === 'unknown' ? '-' : v.state, kb(v.deviceStateBytes), v.owner, v.description]),
  ])
}

export function renderView (view: CatalogueView): string {
  const { entity, owner, description, ttlMs, emit, state, fingerprint, stateBytes, deviceStateBytes, dependents, concepts, features, file, line } = view
  const on = [...emit.on, ...emit.onChange.map(name => `a change of ${name}`)]
  return [
    `${keyOf(view)}: ${description}\n`,
    table([
      ['entity', entity], ['owner', owner], ['TTL', formatDuration(ttlMs)], ['emits', `at most each ${formatDuration(emit.everyMs)}${on.length === 0 ? '' : `, at once on ${on.join(', ')}`}`],
      ['state', state === 'unknown' ? 'no log was looked at (stop the instance, or ask its catalogue page)' : state], ['kept a key', `${kb(deviceStateBytes)} of device readings, ${kb(stateBytes)} at most with charted ones`], ['fingerprint', fingerprint.slice(0, 16)],
      ['read by', dependents.length === 0 ? 'nothing' : dependents.join('; ')], ...file === null ? [] : [['defined in', place(file, line)]],
    ]),
    ...concepts.length === 0 ? [] : ['\nCONCEPTS\n', table(concepts.map(c => [`  ${c.id}`, c.unit, codes(c)]))],
    '\nFEATURES\n', table(features.map(f => [`  ${f.name}`, f.unit, f.meaning])),
  ].join('')
}

function codes ({ loinc, mdc, aliases }: CatalogueView['concepts'][number]): string {
  return [...loinc.length === 0 ? [] : [`LOINC ${loinc.join(' ')}`], ...mdc.length === 0 ? [] : [`MDC ${mdc.join(' ')}`], ...aliases.length === 0 ? [] : [aliases.join(' ')]].join('; ')
}

export function renderFeature (view: CatalogueView, feature: CatalogueFeature): string {
  const concepts = view.concepts.filter(c => feature.concepts.includes(c.id))
  return [
    `${keyOf(view)}:${feature.name}\n`,
    table([
      ['means', feature.meaning], ['unit', feature.unit], ['windows', feature.windowsMs.length === 0 ? 'none' : feature.windowsMs.map(formatDuration).join(', ')],
      ...concepts.map(c => ['reads', `${c.id} (${c.name}, ${c.unit}): ${codes(c)}`]), ...feature.reads.map(r => ['reads', r]), ...view.file === null ? [] : [['defined in', place(view.file, feature.line)]],
    ]),
  ].join('')
}

export function renderLint ({ findings, typesChecked, typesWhy }: LintReport): string {
  const lines = findings.map(({ kind, view, feature, message, file, line }) => `${file === null ? '' : `${place(file, line)}: `}${view === '' ? '' : `${view}${feature === null ? '' : `:${feature}`}: `}${message} [${kind}]\n`)
  const types = typesChecked || typesWhy === 'no --features' ? '' : `types were not checked: ${typesWhy}\n`
  return `${lines.join('')}${types}${findings.length === 0 ? 'nothing is doubtful' : `${findings.length} found`}\n`
}

export function renderPlan ({ standard, own }: Readonly<Record<'standard' | 'own', PlanSummary>>, hasOwn: boolean): string {
  return `${renderSummary('the product\'s views', standard)}${hasOwn ? `\n${renderSummary('your views, in a processor of their own', own)}` : ''}`
}

function renderSummary (what: string, { views, bytes, aloneBytes, series }: PlanSummary): string {
  return [
    `${what}: ${views.join(', ')}\n${kb(bytes)} a key at most (${kb(series.reduce((sum, s) => sum + s.denseBytes, 0))} of device readings); planned one by one they would take ${kb(aloneBytes)}\n`,
    table([
      ['  CONCEPT', 'RINGS', 'KEPT READINGS', 'BYTES', 'READ BY'],
      ...series.map(s => [`  ${s.concept}`, s.rings.length === 0 ? '-' : s.rings.map(r => `${r.tiles} x ${formatDuration(r.tileMs)}${r.columns.length === 0 ? '' : ` (${r.columns.join(' ')})`}`).join(', '), formatDuration(s.readingsMs), String(s.bytes), s.views.join(' ')]),
    ]),
  ].join('')
}
