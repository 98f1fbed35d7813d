import type { ServerResponse } from 'node:http'
import { readBoard } from './board.ts'
import { SECURITY_HEADERS } from './guards.ts'
import type { DashboardLogger } from './logger.ts'
import type { DashboardSources } from './sources.ts'
import { wirePipeline } from './to-wire.ts'

/** All defaults of the live stream, with units. */
export const LIVE_DEFAULTS = {
  /** A change is sent at once, then at most this often. */
  wardIntervalMs: 500,
  /** The board is sent this often even when nothing has changed: staleness is a change of time alone. */
  wardRefreshMs: 5_000,
  pipelineIntervalMs: 2_000,
  heartbeatMs: 15_000,
  clientsMax: 64,
  /** A client that has this much unread gets no further events; after `stuckMs` of it, it is cut off. */
  backlogBytesMax: 4_194_304,
  stuckMs: 30_000,
} as const
export type LiveOptions = { readonly [K in keyof typeof LIVE_DEFAULTS]: number }

/** `boardSeen`: number of the newest reading that it has; an older one that comes late is not sent. */
interface Client { readonly response: ServerResponse, readonly ward: string | undefined, stuckSince: number | undefined, boardSeen: number }

/** Server-sent events to every open page: `ward` at each change, `pipeline` each 2 s. Reads the sources only while somebody watches. */
export class LiveHub {
  readonly #sources: DashboardSources
  readonly #options: LiveOptions
  readonly #logger: DashboardLogger
  readonly #clients = new Set<Client>()
  #stops: (() => void)[] = []
  #dirty = false
  #sending = false
  #lastWardAt = -Infinity
  #readings = 0

  constructor (sources: DashboardSources, options: LiveOptions, logger: DashboardLogger) {
    this.#sources = sources
    this.#options = options
    this.#logger = logger
  }

  get full (): boolean { return this.#clients.size >= this.#options.clientsMax }
  get clients (): number { return this.#clients.size }

  /** Takes over `response` and keeps it open. */
  add (response: ServerResponse, ward: string | undefined): void {
    const client: Client = { response, ward, stuckSince: undefined, boardSeen: 0 }
    response.on('error', () => { this.#remove(client) })
    response.on('close', () => { this.#remove(client) })
    response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    response.write('retry: 1000\n\n')
    this.#clients.add(client)
    if (this.#clients.size === 1) this.#start()
    void this.#sendWard([client])
    void this.#sendPipeline([client])
  }

  close (): void {
    this.#stop()
    for (const client of this.#clients) client.response.end()
    this.#clients.clear()
  }

  #start (): void {
    const { clock } = this.#sources
    const { wardIntervalMs, pipelineIntervalMs, heartbeatMs } = this.#options
    this.#lastWardAt = clock.monotonicMs()
    this.#stops = [
      this.#sources.onChange(() => { this.#dirty = true; this.#wardIfDue() }),
      clock.every(wardIntervalMs, () => { this.#wardIfDue() }),
      clock.every(pipelineIntervalMs, () => { void this.#sendPipeline([...this.#clients]) }),
      clock.every(heartbeatMs, () => { for (const client of this.#clients) this.#write(client, ': heartbeat\n\n') }),
    ]
  }

  #stop (): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  #remove (client: Client): void {
    if (this.#clients.delete(client) && this.#clients.size === 0) this.#stop()
  }

  #wardIfDue (): void {
    const since = this.#sources.clock.monotonicMs() - this.#lastWardAt
    const due = this.#dirty ? since >= this.#options.wardIntervalMs : since >= this.#options.wardRefreshMs
    if (!due || this.#sending) return
    this.#dirty = false
    this.#lastWardAt = this.#sources.clock.monotonicMs()
    this.#sending = true
    void this.#sendWard([...this.#clients]).finally(() => { this.#sending = false })
  }

  /** One reading of the sources and one text per ward, however many pages watch it. */
  async #sendWard (clients: readonly Client[]): Promise<void> {
    const reading = ++this.#readings
    const texts = new Map<string | undefined, Promise<string>>()
    for (const client of clients) {
      let text = texts.get(client.ward)
      if (text === undefined) texts.set(client.ward, text = readBoard(this.#sources, client.ward).then(board => event('ward', board)))
      await this.#writeWhenRead(client, text, reading)
    }
  }

  async #sendPipeline (clients: readonly Client[]): Promise<void> {
    if (clients.length === 0) return
    const text = this.#pipelineText()
    for (const client of clients) await this.#writeWhenRead(client, text)
  }

  async #pipelineText (): Promise<string> { return event('pipeline', wirePipeline(await this.#sources.pipeline(), this.#sources.clock.now())) }

  /** A failed reading sends nothing: the page sees that its data grow old, and says so. */
  async #writeWhenRead (client: Client, text: Promise<string>, boardReading?: number): Promise<void> {
    try {
      const ready = await text
      if (boardReading !== undefined && boardReading < client.boardSeen) return
      client.boardSeen = boardReading ?? client.boardSeen
      this.#write(client, ready)
    } catch (error) {
      this.#logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the live stream could not read its sources')
    }
  }

  #write (client: Client, text: string): void {
    const { response } = client
    if (!this.#clients.has(client) || response.writableEnded) return
    if (response.writableLength <= this.#options.backlogBytesMax) {
      client.stuckSince = undefined
      response.write(text)
      return
    }
    const now = this.#sources.clock.monotonicMs()
    client.stuckSince ??= now
    if (now - client.stuckSince > this.#options.stuckMs) response.destroy()
  }
}

function event (name: string, data: unknown): string { return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n` }
