import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../streams/time/index.ts'
import { startKafka } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import type { BenchOptions, Benchmark, Measure } from '../measure.ts'

const PATIENTS = 10_000
const RECORDS_PER_SECOND = 2_000
const SECONDS = 15
const MB = 1e6

interface Told { readonly stage?: string, readonly sinceStartMs?: number, readonly cpuMs?: number, readonly replayed?: number, readonly keys?: number, readonly residentBytes?: number, readonly failed?: string }

/** 10,000 patients with the standard views' state, fed until kill -9; the next start on the same directory, to its first new output. */
export const recovery: Benchmark = {
  summary: 'kill -9 with 10,000 patients, to the first new output: embedded log',
  run: async options => await measure('embedded', 'embedded', options),
}

/** The same on a broker with a session timeout of 3 s, which the dead member's partitions wait for. */
export const recoveryKafka: Benchmark = {
  summary: 'the same on Kafka, snapshots in their topic and on local disk',
  run: async options => {
    await using kafka = await startKafka({ heap: '-Xmx1g' })
    return await measure('Kafka', kafka.bootstrap, options)
  },
}

async function measure (name: string, log: string, { seconds = SECONDS, runs = 1, say }: BenchOptions): Promise<readonly Measure[]> {
  const patients = seconds < 1 ? 200 : PATIENTS
  const wall: number[] = []
  const cpu: number[] = []
  const replayed: number[] = []
  const resident: number[] = []
  const dir = tempDir()
  try {
    const live = new Member('live', log, dir.path, patients)
    await live.until(t => t.stage === 'seeded')
    await systemClock.sleep(seconds * 1_000)
    await live.kill()
    for (let run = 0; run < runs; run++) {
      const again = new Member('again', log, dir.path, patients)
      const end = await again.until(t => t.replayed !== undefined)
      const stages = again.told.filter(t => t.stage !== undefined)
      say(stages.map(t => `${t.stage} ${((t.sinceStartMs ?? 0) / 1_000).toFixed(2)} s (${((t.cpuMs ?? 0) / 1_000).toFixed(2)} s of processor)`).join(', '))
      say(`${end.keys} patients, ${end.replayed} records replayed`)
      wall.push((stages.at(-1)?.sinceStartMs ?? NaN) / 1_000)
      cpu.push((stages.at(-1)?.cpuMs ?? NaN) / 1_000)
      replayed.push((end.replayed ?? NaN) + 1)
      resident.push((end.residentBytes ?? NaN) / MB)
      await again.kill()
    }
  } finally {
    dir.remove()
  }
  return [
    { name: `${name}: start after kill -9 to the first new output`, unit: 's', values: wall, target: '5' },
    { name: `${name}: processor time of it`, unit: 's', values: cpu },
    { name: `${name}: records replayed, and the first new one`, unit: 'records', values: replayed },
    { name: `${name}: resident then`, unit: 'MB', values: resident, target: '1200' },
  ]
}

class Member {
  readonly told: Told[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor (mode: 'live' | 'again', log: string, directory: string, patients: number) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('./member.ts', import.meta.url)), mode, log, directory, String(patients), String(Math.min(RECORDS_PER_SECOND, patients))], { stdio: ['ignore', 'pipe', 'inherit'] })
    process.once('exit', () => { this.#child.kill('SIGKILL') })
    this.#ended = new Promise(resolve => { this.#child.once('close', () => { resolve() }) })
    createInterface({ input: this.#child.stdout! }).on('line', line => { if (line.startsWith('{')) this.told.push(JSON.parse(line) as Told) })
  }

  async until (is: (told: Told) => boolean, withinMs = 240_000): Promise<Told> {
    const endMs = systemClock.monotonicMs() + withinMs
    for (;;) {
      const found = this.told.find(is)
      if (found !== undefined) return found
      const failed = this.told.find(t => t.failed !== undefined)
      if (failed !== undefined || systemClock.monotonicMs() > endMs) throw new Error(failed?.failed ?? 'the member does not come that far')
      await systemClock.sleep(20)
    }
  }

  async kill (): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
