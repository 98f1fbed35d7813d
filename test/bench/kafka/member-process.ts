import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from '../../kit/servers/index.ts'
import { treeOf } from '../processes.ts'

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000

export interface MemberStatistics { readonly records: number, readonly outputs: number, readonly keys: number, readonly heap: number, readonly external: number }

/** One instance of the features processor in a process of its own, which ends with this one. */
export class MemberProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  statistics: MemberStatistics = { records: 0, outputs: 0, keys: 0, heap: 0, external: 0 }
  ready = false

  constructor (bootstrap: string, driver: string, directory: string, say: (line: string) => void) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('./features-member.ts', import.meta.url)), bootstrap, driver, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    process.once('exit', () => { this.#child.kill('SIGKILL') })
    createInterface({ input: this.#child.stdout! }).on('line', line => {
      if (line === 'READY') this.ready = true
      else if (line.startsWith('{"changed"')) say(line)
      else if (line.startsWith('{')) this.statistics = JSON.parse(line) as MemberStatistics
    })
  }

  get pid (): number { return this.#child.pid! }
  cpuSeconds (): number { return treeOf(this.pid)?.cpuSeconds ?? NaN }
  residentBytes (): number { return treeOf(this.pid)?.residentBytes ?? NaN }
  async untilReady (): Promise<this> { await until('the member is ready', READY_WITHIN_MS, () => this.ready); return this }

  kill (): void { this.#child.kill('SIGKILL') }
  async stop (): Promise<void> {
    this.#child.kill('SIGTERM')
    await until('the member has stopped', STOP_WITHIN_MS, () => this.#child.exitCode !== null || this.#child.signalCode !== null).catch(() => { this.kill() })
  }

  [Symbol.asyncDispose] (): Promise<void> { return this.stop() }
}
