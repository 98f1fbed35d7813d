import { statSync } from 'node:fs'
import { FORMAT_NAMES, type FileProgress } from '../../../connectors/files/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { systemClock, type Clock } from '../../../streams/time/index.ts'
import { importFile, type ImportSummary } from '../../run/index.ts'
import { ownOptions } from '../own-options.ts'
import type { Command } from './command.ts'
import { stopSignal } from './stop-signal.ts'

/** The format whose recordings are folders. */
const FOLDERS = 'mimic3'
/** Exit code where something was refused: it is among the dead letters. */
const REFUSED = 3
const SAY_EVERY_MS = 1_000

/** Files to the log, now. */
export const importCommand: Command = {
  usage: `${FORMAT_NAMES.join('|')} PATH [--feed NAME] [--feeds DIR] [--data-dir DIR] [--kafka BROKERS --key-file FILE]`,
  summary: 'Takes a file to the log, by a feed\'s mapping, while no instance runs on the data directory, or to Kafka beside running instances, with the options of "start"; their arrival is now ("latido replay" keeps that of a recording). Cut off, it goes on where it was. Exit code 3 if something was refused.',
  run: async args => {
    const { words: [format, path, ...more], own, config } = ownOptions(args, ['feed'])
    if (format === undefined || path === undefined || more.length > 0) throw new LatidoError('CONFIG_INVALID', 'import needs a format and a path', `say latido import ${importCommand.usage}`)
    if (format !== FOLDERS && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new LatidoError('CONFIG_INVALID', `${format} is read from a file, and the path is a folder`, `name one file${format === 'wfdb' ? ', the header (.hea)' : ''}; a folder is for a feed of the kind "files" (docs/connectors/files.md)`)
    const stop = new AbortController()
    void stopSignal().then(() => { stop.abort() })
    const summary = await importFile({ format, path, feed: own.feed ?? format, config, clock: systemClock, signal: stop.signal, say: line => { process.stderr.write(`latido: ${line}\n`) }, onProgress: progressLine(systemClock) })
    if (process.stderr.isTTY) process.stderr.write('\n')
    for (const line of render(summary)) process.stdout.write(`latido: ${line}\n`)
    return summary.imported === 'stopped' ? 130 : refusedOf(summary) > 0 ? REFUSED : 0
  },
}

/** Percent and rates, each second: in place on a terminal, a line each elsewhere. */
function progressLine (clock: Clock, out: NodeJS.WriteStream = process.stderr): (progress: FileProgress) => void {
  const startedMs = clock.monotonicMs()
  let saidMs = startedMs
  let before: FileProgress = { step: 'checking', bytes: 0, totalBytes: 0, records: 0 }
  return progress => {
    const nowMs = clock.monotonicMs()
    if (nowMs - saidMs < SAY_EVERY_MS) return
    const seconds = (nowMs - saidMs) / 1_000
    const share = progress.totalBytes === 0 ? 100 : Math.floor(100 * progress.bytes / progress.totalBytes)
    const rates = progress.step === 'checking' ? '' : `, ${progress.records} records, ${Math.round((progress.records - before.records) / seconds)} a second, ${((progress.bytes - before.bytes) / seconds / 1e6).toFixed(1)} MB/s`
    out.write(`${out.isTTY ? '\r\u001b[K' : ''}latido: ${progress.step} ${share} %${rates}${out.isTTY ? '' : '\n'}`)
    saidMs = nowMs
    before = progress
  }
}

function render ({ imported, seconds, counts }: ImportSummary): readonly string[] {
  const of = (what: string): number => counts.get(what) ?? 0
  if (imported === 'stopped') return [`stopped: ${of('published')} events are on the log; the same command goes on`]
  const { records, before } = imported
  const others = [...counts].filter(([what, n]) => n > 0 && what !== 'published' && what !== 'duplicate' && what !== 'archived').sort(([a], [b]) => a < b ? -1 : 1)
  return [
    `${records - before} records in ${seconds.toFixed(1)} s${before > 0 ? ` (${before} before them were taken earlier)` : ''}`,
    `on the log: ${of('published')} events, known before: ${of('duplicate')}${of('archived') > 0 ? `, kept without being computed with: ${of('archived')}` : ''}`,
    ...others.length === 0 ? [] : [others.map(([what, n]) => `${what}: ${n}`).join(', ')],
  ]
}

function refusedOf ({ counts }: ImportSummary): number { return [...counts].reduce((sum, [what, n]) => what.startsWith('refused-') ? sum + n : sum, 0) }
