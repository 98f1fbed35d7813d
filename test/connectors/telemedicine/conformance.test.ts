import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { telemedicineConnector, telemedicineOptions } from '../../../connectors/telemedicine/index.ts'
import type { TelemedicineOptions } from '../../../connectors/telemedicine/options.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { deviceToken } from './support.ts'

const BEGAN = systemClock.now() - 3_600_000
const REQUESTS = 8
const PAUSE_MS = 5
const { token, row } = deviceToken('clinic', { clinic: {}, expires: '2099-12-31T00:00:00Z' })

/** A clinic's app: each patient's readings one after the other, each with its Idempotency-Key and again until it is answered for good. */
class App implements Counterparty<TelemedicineOptions> {
  readonly #directory = tempDir()
  readonly #queues: Buffer[][] = Array.from({ length: REQUESTS }, () => [])
  readonly #ended = new AbortController()
  readonly #running: Promise<void>[]
  #away = new AbortController()
  #url: string | undefined
  #delivered = 0

  constructor () {
    writeFileSync(this.#file(), JSON.stringify({ tokens: [row] }))
    this.#running = this.#queues.map(queue => this.#send(queue))
  }

  options (): TelemedicineOptions { return telemedicineOptions.parse({ port: 0, tokensFile: this.#file(), rate: { requestsPerMinute: 60_000, burst: 60_000 } }) }
  connected (endpoint: string): void { this.#url = endpoint }
  disconnected (): void {
    this.#url = undefined
    this.#away.abort()
    this.#away = new AbortController()
  }

  offer (messages: readonly Buffer[]): void { for (const message of messages) this.#queues[Number(/"id":"P(\d+)"/.exec(message.toString())?.[1] ?? 0) % REQUESTS]!.push(message) }
  delivered (): number { return this.#delivered }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#ended.abort()
    this.disconnected()
    await Promise.all(this.#running)
    this.#directory.remove()
  }

  #file (): string { return join(this.#directory.path, 'tokens.json') }

  async #send (queue: Buffer[]): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const [message] = queue
      if (message === undefined || this.#url === undefined || !isFinal(await this.#post(this.#url, message))) { await systemClock.sleep(PAUSE_MS, this.#ended.signal); continue }
      queue.shift()
      this.#delivered++
    }
  }

  /** Its status; 0 where there was no answer. */
  #post (url: string, message: Buffer): Promise<number> {
    const { key, body } = JSON.parse(message.toString()) as { key: string, body: object }
    return fetch(`${url}/v1/observations`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'idempotency-key': key }, signal: this.#away.signal })
      .then(async response => { await response.arrayBuffer(); return response.status }, () => 0)
  }
}

/** Taken, or refused for ever: what was too much or too early is asked again. */
function isFinal (status: number): boolean { return (status >= 200 && status < 300) || status === 422 }

const reading = (key: string, patient: string, value: number, second: number): Buffer =>
  Buffer.from(JSON.stringify({ key, body: { patient: { id: patient }, items: [{ concept: 'heartRate', value, unit: '/min', takenAt: new Date(BEGAN + second * 1_000).toISOString() }] } }))

const harness: ConformanceHarness<TelemedicineOptions> = {
  kind: telemedicineConnector,
  open: () => Promise.resolve(new App()),
  message: (patient, n) => reading(`${patient}-${n}`, patient, 60 + n, n),
  poison: reading('bad', 'P1', 9_999, 0),
  inFlightMax: REQUESTS,
}

describe('the telemedicine API', () => {
  for (const { name, run } of conformanceChecks(harness)) it(name, run, 240_000)
})
