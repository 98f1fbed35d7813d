import { viewKey } from '../../../features/define/index.ts'
import { CAUSE_TEXTS, skewIn, type FeatureSkew, type SkewReport } from '../../../features/offline/index.ts'

/** A report for the terminal: a line a feature that differs, what the rest came to, and the causes in words. */
export function renderSkew (report: SkewReport): string {
  const { vectors, patients, values, different, features } = report
  const head = `${viewKey(report)}: ${vectors} vectors of ${patients} patients, ${values} values compared, ${different} different\n`
  if (vectors === 0) return `${head}latido: no vector of this view arrived in the interval\n`
  const odd = features.filter(f => skewIn(f.outcomes).length > 0)
  const worst = Math.max(0, ...features.map(f => f.worst))
  const agreed = `${features.length - odd.length} of ${features.length} features agree; the largest relative difference of any is ${worst.toExponential(1)}\n`
  return head + agreed + odd.map(renderFeature).join('') + [...new Set(odd.flatMap(f => f.examples.map(e => e.cause)))].map(cause => `${cause}: ${CAUSE_TEXTS[cause]}\n`).join('')
}

function renderFeature (f: FeatureSkew): string {
  const { outcomes, feature, unit, worst, smape, examples } = f
  const told = skewIn(outcomes).map(([outcome, n]) => `${n} ${outcome}`).join(', ')
  const line = `  ${feature} (${unit}): ${told}; worst ${worst.toExponential(1)}, mean error ${(100 * smape).toFixed(2)} %\n`
  return line + examples.map(e => `    ${new Date(e.asOf).toISOString()} ${e.patient}: served ${shown(e.served)}, computed ${shown(e.stored)}: ${e.cause}\n`).join('')
}

function shown (value: number): string { return Number.isNaN(value) ? 'absent' : String(value) }
