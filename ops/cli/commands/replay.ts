import { parseArgs } from 'node:util'
import { openMimic3, openPhysionet2019, type HistoricalSource } from '../../../connectors/files/index.ts'
import { readHl7File, sendHl7 } from '../../../connectors/hl7/index.ts'
import { ALL_VIEWS } from '../../../features/views/index.ts'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { parseDuration } from '../../../streams/time/index.ts'
import { parseConfig } from '../../config/index.ts'
import { definedViews, exportVectors, replaySource } from '../../run/index.ts'
import { progressBar } from '../progress.ts'
import type { Command } from './command.ts'

const OPTIONS = {
  export: { type: 'string' }, to: { type: 'string' }, 'data-dir': { type: 'string' }, offline: { type: 'string' }, model: { type: 'string' }, features: { type: 'string' }, 'drift-window': { type: 'string' }, host: { type: 'string' }, 'mllp-port': { type: 'string' },
} as const
type Values = { readonly [K in keyof typeof OPTIONS]?: string | undefined }

export const replay: Command = {
  usage: 'physionet2019|mimic3|hl7 PATH [--data-dir DIR] [--offline off] [--model DIR|off] [--features DIR] [--drift-window "1 d"] [--export VIEW,... --to DIR] [--host H --mllp-port N]',
  summary: 'Runs recorded data through the whole pipeline with its own arrival times (physionet2019, mimic3), or sends HL7 messages to a running instance (hl7). --export writes the vectors of views for training.',
  run: async args => {
    const { values, positionals } = parse(args)
    const [kind, path] = positionals
    if (kind === undefined || path === undefined || positionals.length > 2) throw new LatidoError('CONFIG_INVALID', 'replay needs a kind and a path', 'latido replay physionet2019 FILE, latido replay mimic3 DIR, or latido replay hl7 FILE')
    if (kind === 'hl7') return await sendFile(path, values)
    const source = await openSource(kind, path)
    return values.export === undefined ? await runReplay(kind, source, values) : await runExport(source, values.export, values.to, values.features ?? '')
  },
}

function parse (args: readonly string[]): { readonly values: Values, readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  } catch (e) {
    throw new LatidoError('CONFIG_INVALID', messageOf(e), 'run "latido help" for the options', e)
  }
}

async function openSource (kind: string, path: string): Promise<HistoricalSource> {
  if (kind !== 'physionet2019' && kind !== 'mimic3') throw new LatidoError('CONFIG_INVALID', `there is no replay of "${kind}"`, 'choose physionet2019, mimic3 or hl7')
  const bar = progressBar('reading  ')
  const onRead = (bytes: number, total: number): void => { bar(total === 0 ? 1 : bytes / total) }
  return kind === 'physionet2019' ? await openPhysionet2019(path, { onRead }) : await openMimic3(path, { onRead, timeline: 'aligned' })
}

async function runReplay (kind: string, source: HistoricalSource, values: Values): Promise<number> {
  const say = (line: string): void => { process.stdout.write(`latido: ${line}\n`) }
  const dataDir = values['data-dir'] ?? `.latido/replays/${kind}`
  const offline = values.offline ?? 'embedded'
  if (offline !== 'embedded' && offline !== 'off') throw new LatidoError('CONFIG_INVALID', `--offline is "${offline}"`, 'it is embedded or off')
  const summary = await replaySource(source, { dataDir, offline, model: values.model ?? '', features: values.features ?? '', driftWindowMs: parseDuration(values['drift-window'] ?? '1 d'), onProgress: progressBar('replaying'), say })
  say(`${summary.messages} messages of ${summary.patients} patients in ${summary.seconds.toFixed(1)} s (${Math.round(summary.messages / summary.seconds)} a second)`)
  for (const [topic, records] of Object.entries(summary.records)) say(`${topic}: ${records} records`)
  say(`alerts raised: ${counts(summary.alerts)}`)
  say(`refused values: ${counts(summary.refused)}`)
  say(`offline store: ${summary.offline}; everything is in ${dataDir}`)
  return 0
}

function counts (by: Readonly<Record<string, number>>): string {
  const entries = Object.entries(by)
  return entries.length === 0 ? 'none' : entries.map(([name, n]) => `${name} ${n}`).join(', ')
}

async function runExport (source: HistoricalSource, names: string, to: string | undefined, features: string): Promise<number> {
  if (to === undefined) throw new LatidoError('CONFIG_INVALID', '--export needs --to DIR', 'say where the vectors go')
  const known = [...ALL_VIEWS, ...(await definedViews(features)).own.filter(view => view.entity === 'patient')]
  const views = names.split(',').map(name => {
    const view = known.find(v => v.name === name)
    if (view === undefined) throw new LatidoError('VIEW_UNKNOWN', `there is no view "${name}"`, `choose among ${known.map(v => v.name).join(', ')}`)
    return view
  })
  const { messages, patients, rows } = await exportVectors(source, views, to, progressBar('replaying'))
  process.stdout.write(`latido: ${messages} messages of ${patients} patients; ${Object.entries(rows).map(([view, n]) => `${view}: ${n} vectors`).join(', ')}, in ${to}\n`)
  return 0
}

/** Messages of a file, over the wire like any sender's. Exit code 3 if one was not accepted. */
async function sendFile (path: string, values: Values): Promise<number> {
  const flags = [...values.host === undefined ? [] : ['--host', values.host, '--allow-exposed', 'yes'], ...values['mllp-port'] === undefined ? [] : ['--mllp-port', values['mllp-port']]]
  const { host, mllpPort } = parseConfig(flags, process.env)
  const { sent, codes } = await sendHl7({ host, port: mllpPort, messages: readHl7File(path, what => { process.stderr.write(`latido: ${what}\n`) }) })
  process.stdout.write(`latido: ${sent} messages sent; answers: ${counts(codes)}\n`)
  return Object.keys(codes).every(code => code === 'AA' || code === 'CA') ? 0 : 3
}
