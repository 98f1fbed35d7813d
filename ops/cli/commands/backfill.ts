import { resolve } from 'node:path'
import { viewKey, type FeatureView } from '../../../features/define/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { parseDuration, systemClock } from '../../../streams/time/index.ts'
import { backfillFile, backfillStore, namedPatientViews, withOfflineStore, type BackfillRequest } from '../../run/index.ts'
import { momentOf, ownOptions, required } from '../own-options.ts'
import { progressBar } from '../progress.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'

const EVERY = '1 h'
/** Exit code of work that was stopped and goes on when it is said again. */
const STOPPED = 130

export const backfillCommand: Command = {
  usage: '--view VIEW[@N] --from TIME --to TIME [--every "1 h" | --at emissions] [--into features|FILE.parquet] [--features DIR] [--data-dir DIR | --clickhouse URL]',
  summary: 'Computes a view from the observations as it was known at past moments, also a view that did not run then: each --every while a patient is there, or whenever the stream sent one (--at emissions). Writes to the offline store, or to a Parquet file. Ctrl-C stops after the present chunk; the same command goes on.',
  run: async args => {
    const { words, own, config } = ownOptions(args, ['view', 'from', 'to', 'every', 'at', 'into'])
    if (words.length > 0) throw new LatidoError('CONFIG_INVALID', `backfill takes no "${words[0]}"`, 'latido backfill --view vitals --from 2026-03-01T00:00:00Z --to 2026-03-08T00:00:00Z')
    const [view] = await namedPatientViews(config.features, required(own.view, '--view')) as readonly [FeatureView, ...FeatureView[]]
    const into = own.into ?? 'features'
    if (into !== 'features' && !into.endsWith('.parquet')) throw new LatidoError('CONFIG_INVALID', `--into is "${into}"`, 'it is features, or a file that ends in .parquet')
    const request = { view, ...interval(own.from, own.to), at: momentsOf(own.every, own.at) }
    const stopping = new AbortController()
    void stopSignal().then(() => { stopping.abort() })
    const { rows, written, there, stopped } = await withOfflineStore(config, [], systemClock, async store => {
      const whole: BackfillRequest = { ...request, signal: stopping.signal, onProgress: progressBar(`backfill ${viewKey(view)}`) }
      return into === 'features' ? await backfillStore(store, whole) : await backfillFile(store, whole, resolve(into))
    })
    process.stdout.write(`latido: ${viewKey(view)}: ${rows} rows, ${written} written, ${there} there before${stopped ? '; stopped, and the same command goes on' : ''}\n`)
    return stopped ? STOPPED : 0
  },
}

function interval (from: string | undefined, to: string | undefined): { readonly from: number, readonly to: number } {
  const times = { from: momentOf(required(from, '--from'), '--from'), to: momentOf(required(to, '--to'), '--to') }
  if (times.from >= times.to) throw new LatidoError('CONFIG_INVALID', '--from is not before --to', 'say the earlier moment first')
  return times
}

function momentsOf (every: string | undefined, at: string | undefined): BackfillRequest['at'] {
  if (at !== undefined && at !== 'emissions') throw new LatidoError('CONFIG_INVALID', `--at is "${at}"`, 'it is emissions, or say --every "1 h"')
  if (at !== undefined && every !== undefined) throw new LatidoError('CONFIG_INVALID', '--every and --at are both said', 'say one of them')
  return at === undefined ? { everyMs: parseDuration(every ?? EVERY) } : 'emissions'
}
