import { createHash } from 'node:crypto'
import { isLatidoError } from '../../streams/errors/index.ts'
import type { RefusalCause } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { Intake } from '../kit/port.ts'
import type { AssociationTable } from './associations.ts'
import { mapNumerics } from './numerics.ts'
import type { RefusedNumeric } from './numerics.ts'
import type { MqttLimits } from './options.ts'
import { parseAssociation, parseNumerics, parseStatus, parseTime } from './payload.ts'
import type { NumericsEnvelope } from './payload.ts'

/** `latido/devices/{device}/{channel}`; a device name is short and plain, since it stands in the source of every observation. */
const TOPIC = /^latido\/devices\/([A-Za-z0-9._:-]{1,64})\/(numerics|association|status)$/
const STATES: ReadonlySet<string> = new Set(['online', 'offline', 'lost'])
const REFUSED_RECENTLY_MAX = 4_096
/** The feed's name in counters; dead letters name the device. */
const FEED = 'mqtt'

/**
 * Takes one published message to the log. `receive` calls the intake before it first yields, so messages reach the log in the
 * order of the calls; it resolves when everything that became of the message is durable, and rejects when the log is away.
 */
export class Inbox {
  readonly #intake: Intake
  readonly #associations: AssociationTable
  readonly #limits: MqttLimits
  readonly #refusedRecently = new Set<string>()

  constructor (intake: Intake, associations: AssociationTable, limits: MqttLimits) {
    this.#intake = intake
    this.#associations = associations
    this.#limits = limits
  }

  async receive (topic: string, payload: Buffer): Promise<void> {
    const match = TOPIC.exec(topic)
    if (match === null) return this.#refuse(FEED, 'device-unmapped', 'topic is not latido/devices/{device}/numerics, association or status', payload)
    const device = match[1] as string
    if (payload.length > this.#limits.payloadBytesMax) return this.#refuse(`mqtt:${device}`, 'too-large', `payload is larger than ${this.#limits.payloadBytesMax} bytes`, payload)
    switch (match[2]) {
      case 'numerics': return this.#numerics(device, payload)
      case 'association': return this.#association(device, payload)
      default: return this.#status(payload)
    }
  }

  async #numerics (device: string, payload: Buffer): Promise<void> {
    const source = `mqtt:${device}`
    const parsed = parseNumerics(payload)
    if (parsed.kind === 'malformed') return this.#refuse(source, 'malformed', parsed.detail, payload)
    const message = parsed.value
    if (message.numerics.length > this.#limits.numericsPerMessageMax) return this.#refuse(source, 'too-large', `more than ${this.#limits.numericsPerMessageMax} numerics in one message`, payload)
    const time = parseTime(message.time)
    if (time === undefined) return this.#refuse(source, 'time-unparsable', 'time is neither ISO 8601 with an offset nor milliseconds since 1970', payload)
    const now = this.#intake.now()
    if (time > now + this.#limits.futureToleranceMs) return this.#refuse(source, 'time-in-future', `time leads arrival by more than ${this.#limits.futureToleranceMs} ms`, payload)
    const patient = this.#associations.patientOf(device, message, this.#intake)
    if (patient === undefined) return this.#refuse(source, 'device-unmapped', 'no patient: none named, nobody in the bed, no association of the device', payload)
    if (time > now) this.#intake.count(FEED, 'time-clamped')
    await this.#publish(source, device, patient, message, Math.min(time, now), payload)
  }

  async #publish (source: string, device: string, patient: string, message: NumericsEnvelope, eventTime: EventTimeMs, payload: Buffer): Promise<void> {
    const { observations, refused, sensorOff } = mapNumerics(message.numerics, eventTime)
    if (sensorOff > 0) this.#intake.count(FEED, 'sensor-off', sensorOff)
    const refusals = refused.length === 0 ? undefined : this.#refuseSome(source, message, refused, payload)
    if (observations.length > 0) {
      const published = this.#intake.publish({
        patient: { id: patient },
        event: { type: 'observations', kind: 'device', source, observations },
        messageId: `${device}|${message.seq ?? String(message.time)}`,
        source,
        content: payload,
      })
      await (refusals === undefined ? published : Promise.all([published, refusals]))
    } else await refusals
  }

  /** Each refused numeric is a dead letter of its own: the message with only that numeric, so that it can be sent again once the cause is gone. */
  async #refuseSome (source: string, message: NumericsEnvelope, refused: readonly RefusedNumeric[], payload: Buffer): Promise<void> {
    const identity = createHash('sha256').update(source).update('\n').update(payload).digest('base64')
    if (this.#refusedRecently.has(identity)) return
    await Promise.all(refused.map(({ index, cause, detail }) => {
      const raw = message.numerics.length === 1 ? payload : Buffer.from(JSON.stringify({ ...message, numerics: [message.numerics[index]] }))
      return this.#refuse(source, cause, detail, raw)
    }))
    this.#remember(identity)
  }

  /** A redelivery of the same bytes must not fill the dead letters; the oldest identity goes first. */
  #remember (identity: string): void {
    if (this.#refusedRecently.size >= REFUSED_RECENTLY_MAX) for (const oldest of this.#refusedRecently) { this.#refusedRecently.delete(oldest); break }
    this.#refusedRecently.add(identity)
  }

  async #association (device: string, payload: Buffer): Promise<void> {
    const parsed = parseAssociation(payload)
    if (parsed.kind === 'malformed') return this.#refuse(`mqtt:${device}`, 'malformed', parsed.detail, payload)
    if (!await this.#associations.set(device, parsed.value)) return this.#refuse(`mqtt:${device}`, 'device-unmapped', 'the association table is full', payload)
    this.#intake.count(FEED, parsed.value === undefined ? 'association-ended' : 'association-set')
  }

  async #status (payload: Buffer): Promise<void> {
    const state = parseStatus(payload)
    this.#intake.count(FEED, state !== undefined && STATES.has(state) ? `status-${state}` : 'status-other')
  }

  async #refuse (source: string, cause: RefusalCause, detail: string, raw: Buffer): Promise<void> {
    await this.#intake.refuse({ cause, detail, source, raw })
  }
}

/** What to count when a message could not be taken: the log was away, or a fault of ours. Both leave it unacknowledged. */
export function failureOf (error: unknown): 'log-away' | 'fault' { return isLatidoError(error) ? 'log-away' : 'fault' }
