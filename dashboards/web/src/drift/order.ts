import type { WireDrift } from '../../../server/wire.ts'

/** How far a feature is along the way to its alarm. */
function ratio ({ psi, threshold }: WireDrift): number { return psi === null ? -1 : psi / Math.max(threshold ?? 0, 1e-9) }

/** Alarms first, then by PSI over its limit, then by name; what could not be measured comes last. */
export function mostDriftFirst (rows: readonly WireDrift[]): readonly WireDrift[] {
  return [...rows].sort((a, b) => Number(b.alarm) - Number(a.alarm) || ratio(b) - ratio(a) || a.view.localeCompare(b.view) || a.feature.localeCompare(b.feature))
}

/** The PSI that fills a bar: twice the largest limit at least, so that a calm table looks calm; at most 1, or one outlier flattens the rest. */
export function psiScale (rows: readonly WireDrift[]): number {
  const largest = Math.max(0, ...rows.map(row => row.psi ?? 0))
  const limit = Math.max(0.1, ...rows.map(row => row.threshold ?? 0))
  return Math.min(1, Math.max(largest, 2 * limit))
}

/** What of the table is looked for: words of which each must fit (`nameOf` is a feature's name in the reader's language), a view, alarms alone. */
export interface DriftSearch { readonly text: string, readonly view: string, readonly alarmsOnly: boolean }

export function searchDrift (rows: readonly WireDrift[], { text, view, alarmsOnly }: DriftSearch, nameOf: (feature: string) => string): readonly WireDrift[] {
  const words = text.toLowerCase().split(/\s+/).filter(word => word !== '')
  return rows.filter(row => {
    const said = `${nameOf(row.feature)} ${row.feature} ${viewOf(row)}`.toLowerCase()
    return (!alarmsOnly || row.alarm) && (view === '' || viewOf(row) === view) && words.every(word => said.includes(word))
  })
}

export function viewOf ({ view, viewVersion }: Pick<WireDrift, 'view' | 'viewVersion'>): string { return `${view}@${viewVersion}` }
