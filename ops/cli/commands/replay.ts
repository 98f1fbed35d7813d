import { parseArgs } from 'node:util'
import { openMimic3, openPhysionet2019, type HistoricalSource } from '../../../connectors/files/index.ts'
import { ALL_VIEWS } from '../../../features/views/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { exportVectors } from '../../run/export-vectors.ts'
import { progressBar } from '../progress.ts'
import type { Command } from './index.ts'

export const replay: Command = {
  usage: 'physionet2019|mimic3 FILE [--export VIEW,... --to DIR]',
  summary: 'Runs recorded data through the engine with its own arrival times; --export writes the vectors of views for training.',
  run: async args => {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { export: { type: 'string' }, to: { type: 'string' } } })
    const [kind, path] = positionals
    if (kind === undefined || path === undefined) throw new LatidoError('CONFIG_INVALID', 'replay needs a kind and a path', 'latido replay physionet2019 FILE, or latido replay mimic3 DIR')
    const source = await openSource(kind, path)
    if (values.export !== undefined) return await runExport(source, values.export, values.to)
    throw new LatidoError('CONFIG_INVALID', 'nothing to do', 'give --export')
  },
}

async function openSource (kind: string, path: string): Promise<HistoricalSource> {
  const bar = progressBar('reading ')
  const onRead = (bytes: number, total: number): void => { bar(total === 0 ? 1 : bytes / total) }
  switch (kind) {
    case 'physionet2019': return await openPhysionet2019(path, { onRead })
    case 'mimic3': return await openMimic3(path, { onRead, timeline: 'aligned' })
    default: throw new LatidoError('CONFIG_INVALID', `there is no replay of "${kind}"`, 'choose physionet2019, mimic3 or hl7')
  }
}

async function runExport (source: HistoricalSource, names: string, to: string | undefined): Promise<number> {
  if (to === undefined) throw new LatidoError('CONFIG_INVALID', '--export needs --to DIR', 'say where the vectors go')
  const views = names.split(',').map(name => {
    const view = ALL_VIEWS.find(v => v.name === name)
    if (view === undefined) throw new LatidoError('VIEW_UNKNOWN', `there is no view "${name}"`, `choose among ${ALL_VIEWS.map(v => v.name).join(', ')}`)
    return view
  })
  const { messages, patients, rows } = await exportVectors(source, views, to, progressBar('replaying'))
  process.stdout.write(`${messages} messages of ${patients} patients; ${Object.entries(rows).map(([view, n]) => `${view}: ${n} vectors`).join(', ')}, in ${to}\n`)
  return 0
}
