import { checkSkew, type SkewReport } from '../../../features/offline/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { namedPatientViews, withOfflineStore } from '../../run/index.ts'
import { momentOf, ownOptions, required } from '../own-options.ts'
import type { Command } from './command.ts'
import { renderSkew } from './skew-text.ts'

/** Exit code of a check that found something wrong. */
const DIFFERENT = 4
const VECTORS_MAX = 10_000

export const skew: Command = {
  usage: '--view VIEW[,VIEW...] [--from TIME] [--to TIME] [--share 0.1] [--vectors N] [--json yes] [--features DIR] [--data-dir DIR | --clickhouse URL]',
  summary: `Compares vectors as they were served with the same features computed from the observations, and says why they differ. --share takes so large a part of the patients, --vectors the newest so many (default ${VECTORS_MAX}). Ends with exit code 4 where they differ.`,
  run: async args => {
    const { words, own, config } = ownOptions(args, ['view', 'from', 'to', 'share', 'vectors', 'json'])
    if (words.length > 0) throw new LatidoError('CONFIG_INVALID', `skew takes no "${words[0]}"`, 'latido skew --view vitals')
    const views = await namedPatientViews(config.features, required(own.view, '--view'))
    const from = own.from === undefined ? 0 : momentOf(own.from, '--from')
    const to = own.to === undefined ? systemClock.now() + 1 : momentOf(own.to, '--to')
    const share = numberOf(own.share, '--share', 1)
    const vectorsMax = numberOf(own.vectors, '--vectors', VECTORS_MAX)
    const reports: SkewReport[] = []
    await withOfflineStore(config, [], systemClock, async store => { for (const view of views) reports.push(await checkSkew(store.sql, { view, from, to, share, vectorsMax })) })
    process.stdout.write(own.json === undefined ? reports.map(renderSkew).join('') : `${JSON.stringify(reports, null, 2)}\n`)
    return reports.some(r => r.different > 0) ? DIFFERENT : 0
  },
}

function numberOf (text: string | undefined, option: string, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new LatidoError('CONFIG_INVALID', `${option} is "${text}", which is no number above 0`, 'run "latido help" for the options')
  return value
}
