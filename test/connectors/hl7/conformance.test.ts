import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { HL7_LIMITS, hl7Connector, type Hl7FeedOptions } from '../../../connectors/hl7/index.ts'
import { codeOf, Line } from '../../../connectors/hl7/line.ts'
import { HL7_PROFILE } from '../../../connectors/hl7/profile.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { hl7 } from './support.ts'

const CONNECTIONS = 4
const PAUSE_MS = 5
const ANSWER_MS = 10_000
/** AA and AR: the receiver has it, or will never take it. AE: it is to come again. */
const FINAL: ReadonlySet<string> = new Set(['AA', 'AR'])

/** An interface engine: each patient's messages go over one of its connections, one after the other, and each again until its answer is final. */
class Engine implements Counterparty<Hl7FeedOptions> {
  readonly #queues: Buffer[][] = Array.from({ length: CONNECTIONS }, () => [])
  readonly #ended = new AbortController()
  readonly #running: Promise<void>[]
  #away = new AbortController()
  #port: number | undefined
  #delivered = 0

  constructor () { this.#running = this.#queues.map(queue => this.#send(queue)) }

  options (): Hl7FeedOptions { return { host: '127.0.0.1', port: 0, profile: HL7_PROFILE, limits: HL7_LIMITS } }
  connected (endpoint: string): void { this.#port = Number(new URL(endpoint.replace('mllp:', 'http:')).port) }
  disconnected (): void {
    this.#port = undefined
    this.#away.abort()
    this.#away = new AbortController()
  }

  offer (messages: readonly Buffer[]): void { for (const message of messages) this.#queues[laneOf(message)]!.push(message) }
  delivered (): number { return this.#delivered }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#ended.abort()
    this.disconnected()
    await Promise.all(this.#running)
  }

  async #send (queue: Buffer[]): Promise<void> {
    let line: Line | undefined
    let of: AbortController | undefined
    while (!this.#ended.signal.aborted) {
      const [message] = queue
      if (of !== this.#away) { line?.close(); line = undefined }
      if (message === undefined || this.#port === undefined) { await systemClock.sleep(PAUSE_MS, this.#ended.signal); continue }
      of = this.#away
      line ??= new Line({ host: '127.0.0.1', port: this.#port, timeoutMs: ANSWER_MS, clock: systemClock, signal: of.signal })
      const answer = await line.exchange(message).catch(() => undefined)
      if (answer !== undefined && FINAL.has(codeOf(answer))) { queue.shift(); this.#delivered++ } else await systemClock.sleep(PAUSE_MS, this.#ended.signal)
    }
    line?.close()
  }
}

function laneOf (message: Buffer): number { return Number(/PID\|1\|\|P(\d+)/.exec(message.toString())?.[1] ?? 0) % CONNECTIONS }

function oru (id: string, patient: string, second: number): Buffer {
  const at = `20250314113${String(second).padStart(3, '0')}+0000`
  return hl7(`MSH|^~\\&|LAB|WARD7|LATIDO|HOSP|20250314115900+0000||ORU^R01^ORU_R01|${id}|P|2.5.1`, `PID|1||${patient}||Invented^Ana||19500412|F`, `OBR|1|P-9|F-${id}|PANEL^Panel^L|||${at}`, `OBX|1|NM|8867-4^Heart rate^LN||72|/min|||||F|||${at}`)
}

const harness: ConformanceHarness<Hl7FeedOptions> = {
  kind: hl7Connector,
  open: () => Promise.resolve(new Engine()),
  message: (patient, n) => oru(`${patient}-${n}`, `${patient}^^^HOSP^MR`, n),
  poison: oru('nobody', '', 0),
  inFlightMax: CONNECTIONS,
}

describe('HL7 v2 over MLLP', () => {
  for (const { name, run } of conformanceChecks(harness)) it(name, run, 240_000)
})
