import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild, type Child, type KafkaServer } from '../kit/servers/index.ts'
import { reportsIn, Watched } from './ended.ts'
import type { InstanceOptions } from './instance.ts'

interface Slot { readonly directory: string, readonly logFile: string, child: Child | undefined, wanted: boolean }

/** Places for instances, each with a network lane and a snapshot directory of its own. One that ends by itself is started again, as an operator's supervisor would. */
export class Instances implements AsyncDisposable {
  /** How often an instance gave up by itself. */
  gaveUp = 0
  readonly #kafka: KafkaServer
  readonly #options: Omit<InstanceOptions, 'bootstrap' | 'directory'>
  readonly #directory: string
  readonly #slots: readonly Slot[]
  #over = false

  constructor (kafka: KafkaServer, directory: string, count: number, options: Omit<InstanceOptions, 'bootstrap' | 'directory'>) {
    this.#kafka = kafka
    this.#options = options
    this.#directory = directory
    this.#slots = Array.from({ length: count }, (_, i) => ({ directory: join(directory, `instance-${i}`), logFile: join(directory, `instance-${i}.txt`), child: undefined, wanted: false }))
  }

  get running (): readonly number[] { return this.#slots.flatMap((slot, i) => slot.child?.running === true ? [i] : []) }
  get idle (): readonly number[] { return this.#slots.flatMap((slot, i) => slot.child?.running === true ? [] : [i]) }

  start (place: number): void {
    const slot = this.#slot(place)
    slot.wanted = true
    if (slot.child?.running === true || this.#over) return
    const options: InstanceOptions = { ...this.#options, bootstrap: this.#kafka.bootstrapOfLane(place), directory: slot.directory }
    const child = startChild(process.execPath, [...reportsIn(this.#directory), '--import', 'tsx', fileURLToPath(new URL('instance.ts', import.meta.url)), JSON.stringify(options)], { logFile: slot.logFile })
    slot.child = child
    const watched = new Watched(child, this.#directory, slot.logFile)
    void child.ended.then(() => {
      if (slot.child !== child || !slot.wanted || this.#over) return
      this.gaveUp++
      appendFileSync(slot.logFile, `--- ${watched.explain().split('\nwhat it printed last')[0]}\n`)
      this.start(place)
    })
  }

  async kill (place: number): Promise<void> {
    const slot = this.#slot(place)
    slot.wanted = false
    await slot.child?.kill()
  }

  /** In good order. Answers whether it was done within the time; else it was killed. */
  async leave (place: number, withinMs: number): Promise<boolean> {
    const { child } = this.#slot(place)
    this.#slot(place).wanted = false
    if (child === undefined || !child.running) return true
    child.signal('SIGTERM')
    const timer = setTimeout(() => { child.signal('SIGKILL') }, withinMs)
    const before = performance.now()
    await child.ended
    clearTimeout(timer)
    return performance.now() - before < withinMs
  }

  signal (place: number, signal: NodeJS.Signals): void { this.#slot(place).child?.signal(signal) }

  output (): string { return this.#slots.map((slot, i) => { try { return `--- instance ${i}\n${readFileSync(slot.logFile, 'utf8').slice(-4_000)}` } catch { return '' } }).join('\n') }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#over = true
    await Promise.all(this.#slots.map(slot => slot.child?.kill()))
  }

  #slot (place: number): Slot {
    const slot = this.#slots[place]
    if (slot === undefined) throw new Error(`no place ${place}`)
    return slot
  }
}
