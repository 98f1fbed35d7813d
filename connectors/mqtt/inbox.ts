import { hash } from 'node:crypto'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { Feed } from '../kit/index.ts'
import type { Devices } from './devices.ts'
import { toEnvelope } from './envelope.ts'
import { readTopic } from './mapper.ts'
import { isDeviceState, parseAssociation, parseStatus } from './payload.ts'

const REFUSED_RECENTLY_MAX = 4_096

/**
 * Takes one published message to the log. `receive` maps the message and calls the intake before it first yields, so messages reach the log in the
 * order of the calls; it resolves when everything that became of the message is durable, and rejects when the log is away.
 */
export class Inbox {
  readonly #feed: Feed
  readonly #devices: Devices
  readonly #refusedRecently = new Set<string>()

  constructor (feed: Feed, devices: Devices) {
    this.#feed = feed
    this.#devices = devices
  }

  /** `kept`: the broker kept it for whoever subscribes (retained): nobody knows since when, so it says nothing of the device's clock. */
  async receive (topic: string, payload: Buffer, kept: boolean = false): Promise<void> {
    const raw = toEnvelope(topic, payload)
    const place = readTopic(topic)
    if (place?.channel === 'association') { await this.#associate(raw, place.device, payload); return }
    if (place?.channel === 'status') this.#noteState(place.device, payload)
    this.#devices.isKept = kept
    const mapped = this.#feed.map(raw)
    this.#devices.isKept = false
    if (mapped === undefined) { await this.#feed.fail(raw, 'the message could not be mapped'); return }
    const series = place === undefined ? undefined : this.#devices.series(place.device)
    try {
      // A redelivery of the same bytes must not fill the dead letters.
      const identity = mapped.kind === 'mapped' && mapped.refused.length > 0 ? hash('sha256', raw, 'base64') : undefined
      const known = identity !== undefined && this.#refusedRecently.has(identity)
      await this.#feed.store(raw, known && mapped.kind === 'mapped' ? { ...mapped, refused: [] } : mapped)
      if (identity !== undefined && !known) this.#remember(identity)
    } catch (e) {
      this.#devices.rollBack()
      throw e
    }
    if (place !== undefined && series !== undefined) this.#devices.taken(place.device, series)
  }

  /** In effect before the next message is looked at. */
  async #associate (raw: Buffer, device: string, payload: Buffer): Promise<void> {
    const parsed = parseAssociation(payload)
    const { kind, intake } = this.#feed
    if (parsed.kind === 'malformed') { await this.#feed.refuse(raw, `${kind}:${device}`, { cause: 'malformed', detail: parsed.detail }); return }
    if (!await this.#devices.associate(device, parsed.value, intake.now())) { await this.#feed.refuse(raw, `${kind}:${device}`, { cause: 'device-unmapped', detail: 'the association table is full' }); return }
    this.#feed.count(parsed.value.who === undefined ? 'association-ended' : 'association-set')
  }

  #noteState (device: string, payload: Buffer): void {
    const parsed = parseStatus(payload)
    if (parsed.kind === 'ok' && isDeviceState(parsed.value.state)) this.#devices.setState(device, parsed.value.state)
  }

  #remember (identity: string): void {
    if (this.#refusedRecently.size >= REFUSED_RECENTLY_MAX) for (const oldest of this.#refusedRecently) { this.#refusedRecently.delete(oldest); break }
    this.#refusedRecently.add(identity)
  }
}

/** What to count when a message could not be taken: the log was away, or a fault of ours. Both leave it unacknowledged. */
export function failureOf (error: unknown): 'log-away' | 'fault' { return isLatidoError(error) ? 'log-away' : 'fault' }
