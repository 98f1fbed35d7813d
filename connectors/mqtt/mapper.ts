import type { Observation, StatementEvent } from '../../streams/events/index.ts'
import { formatDuration, type EventTimeMs } from '../../streams/time/index.ts'
import { type Fault, identifierOf, type MapContext, type MappedEvent, type MappedMessage, type MessageMapper, note, type Notices, passOver, type RefusedPart } from '../kit/index.ts'
import { OFFSET_MS_MIN } from './clock-offset.ts'
import type { DeviceState, Devices } from './devices.ts'
import { fromEnvelope, toEnvelope } from './envelope.ts'
import { judge } from './judge.ts'
import { mapNumerics, type RefusedNumeric } from './numerics.ts'
import type { DeviceOptions } from './options.ts'
import { isDeviceState, parseAssociation, parseNumerics, parseStatus, parseTime, parseWaves, type Addressed, type Parsed } from './payload.ts'
import { mapWaves } from './waves.ts'

/** `latido/devices/{device}/{channel}`; a device name is short and plain, since it stands in the source of every observation. */
const TOPIC = /^latido\/devices\/([A-Za-z0-9._:-]{1,64})\/(numerics|waves|association|status)$/
/** The system of the codes `online`, `offline` and `lost` of a device's state. */
export const DEVICE_STATUS_SYSTEM = 'urn:latido:device-status'
/** `offline` was said by the device; `lost` by its last will. */
const STATEMENT_STATUS: Readonly<Record<DeviceState, StatementEvent['status']>> = { online: 'active', offline: 'completed', lost: 'inactive' }
/** Before it, no device of a ward was built: a clock that lost its date, or counts in seconds. */
const EARLIEST_MS = Date.UTC(2000, 0, 1)

/** Most messages have nothing to notice: nobody writes to it. */
const NOTHING: Notices = new Map()

export interface DeviceTopic { readonly device: string, readonly channel: 'numerics' | 'waves' | 'association' | 'status' }

export function readTopic (topic: string): DeviceTopic | undefined {
  const match = TOPIC.exec(topic)
  return match === null ? undefined : { device: match[1]!, channel: match[2] as DeviceTopic['channel'] }
}

/**
 * Reads envelopes (`toEnvelope`). Beside bytes, moment, mapping and beds the answer depends on `devices`: whom each measured, its clock, its last
 * values; so it is a function of the messages of the device in their order, and a message that comes twice is answered twice alike.
 */
export function mqttMapper (options: DeviceOptions, devices: Devices): MessageMapper {
  return (raw, context) => {
    const message = fromEnvelope(raw)
    const place = message === undefined ? undefined : readTopic(message.topic)
    if (message === undefined || place === undefined) return rejected('mqtt', 'device-unmapped', 'topic is not latido/devices/{device}/numerics, waves, association or status')
    return new MessageReader(place, message.payload, context, options, devices).read()
  }
}

class MessageReader {
  readonly #device: string
  readonly #channel: DeviceTopic['channel']
  readonly #source: string
  readonly #payload: Buffer
  readonly #context: MapContext
  readonly #options: DeviceOptions
  readonly #devices: Devices
  #notices: Notices | undefined

  constructor ({ device, channel }: DeviceTopic, payload: Buffer, context: MapContext, options: DeviceOptions, devices: Devices) {
    this.#device = device
    this.#channel = channel
    this.#source = `mqtt:${device}`
    this.#payload = payload
    this.#context = context
    this.#options = options
    this.#devices = devices
  }

  get #noticed (): Notices { return this.#notices ??= new Map() }

  read (): MappedMessage {
    if (this.#payload.length > this.#options.payloadBytesMax) return this.#reject('too-large', `payload is larger than ${this.#options.payloadBytesMax} bytes`)
    switch (this.#channel) {
      case 'numerics': return this.#with(parseNumerics(this.#payload), message => this.#numerics(message))
      case 'waves': return this.#with(parseWaves(this.#payload), message => this.#waves(message))
      case 'status': return this.#with(parseStatus(this.#payload), message => this.#status(message))
      case 'association': return this.#with(parseAssociation(this.#payload), () => this.#mapped([], [], 'association')) // it takes effect where it arrives
    }
  }

  #numerics (message: Addressed & { readonly numerics: readonly unknown[] }): MappedMessage {
    const { numerics } = message
    if (numerics.length > this.#options.numericsPerMessageMax) return this.#reject('too-large', `more than ${this.#options.numericsPerMessageMax} numerics in one message`)
    const at = this.#timeOf(message)
    if (typeof at !== 'number') return at
    const patient = this.#patientOf(message, at)
    if (typeof patient !== 'string') return patient
    const { readings, refused, sensorOff, ignored, perfusionIndex } = mapNumerics(numerics, at, this.#context)
    if (ignored > 0) passOver(this.#noticed, ignored)
    if (sensorOff > 0) note(this.#noticed, 'sensor-off', sensorOff)
    if (perfusionIndex !== undefined) note(this.#noticed, 'perfusion-index')
    const judged = judge(readings, perfusionIndex, at, this.#devices.series(this.#device), this.#options.artefacts, rule => { note(this.#noticed, rule) })
    this.#devices.stage(this.#device, judged.state)
    this.#devices.sawReading(this.#device, at)
    return this.#observed(message, patient, judged.observations, refused, 'numerics')
  }

  #waves (message: Addressed & { readonly intervalMs: number, readonly waves: readonly unknown[] }): MappedMessage {
    const { waves, intervalMs } = message
    if (waves.length > this.#options.numericsPerMessageMax) return this.#reject('too-large', `more than ${this.#options.numericsPerMessageMax} waveforms in one message`)
    const begin = parseTime(message.time)
    const at = this.#timeOf(begin === undefined ? message : { ...message, time: begin + intervalMs })
    if (typeof at !== 'number') return at
    const patient = this.#patientOf(message, at)
    if (typeof patient !== 'string') return patient
    const { observations, refused, flatPleth } = mapWaves(waves, intervalMs, at, this.#context, this.#options.artefacts, this.#noticed)
    const series = this.#devices.series(this.#device)
    if (flatPleth === true || (flatPleth === false && series.flatPlethAt !== undefined)) this.#devices.stage(this.#device, { ...series, flatPlethAt: flatPleth ? at : undefined })
    this.#devices.sawReading(this.#device, at)
    return this.#observed(message, patient, observations, refused, 'waves')
  }

  /** A device of nobody's is only counted. A last will has no time: it holds from its arrival. */
  #status (message: Addressed & { readonly state: string }): MappedMessage {
    const { state } = message
    if (!isDeviceState(state)) { note(this.#noticed, 'status-other'); return this.#mapped([], [], 'status') }
    note(this.#noticed, `status-${state}`)
    const at = message.time === undefined || message.time === null ? this.#context.now : this.#timeOf(message)
    if (typeof at !== 'number') return at
    const patient = this.#patientOf(message, at)
    if (typeof patient !== 'string') return this.#mapped([], [], 'status')
    const event: StatementEvent = { type: 'statement', kind: 'device', source: this.#source, statementId: `device:${this.#device}`, status: STATEMENT_STATUS[state], system: DEVICE_STATUS_SYSTEM, code: state, eventTime: at, endTime: -1, value: NaN, unit: '' }
    return this.#mapped([{ patient: { id: patient }, event }], [], `${this.#device}|status|${message.seq ?? at}`)
  }

  /** When it was measured, by our clock: clamped within the tolerance, corrected where that is configured. */
  #timeOf ({ time }: Addressed): EventTimeMs | MappedMessage {
    const said = parseTime(time)
    if (said === undefined) return this.#reject('time-unparsable', 'time is neither ISO 8601 with an offset nor milliseconds since 1970')
    const { now } = this.#context
    const { futureToleranceMs, pastToleranceMs, correctClocks } = this.#options
    this.#devices.sawTime(this.#device, said, now)
    const offset = this.#devices.clockOffset(this.#device)
    // Delay only adds: a time that would lie ahead of its arrival says that the clock was set meanwhile, and the estimate is the old one's.
    const corrected = correctClocks && !this.#devices.isKept && offset !== undefined && Math.abs(offset) >= OFFSET_MS_MIN && said + offset <= now + OFFSET_MS_MIN
    const at = corrected ? Math.round(said + offset) : said
    if (corrected) note(this.#noticed, 'time-corrected')
    if (at < EARLIEST_MS || at < now - pastToleranceMs) return this.#reject('time-implausible', `time is more than ${formatDuration(pastToleranceMs)} before arrival: the device's clock is wrong`)
    if (at > now + futureToleranceMs) return this.#reject('time-in-future', `time leads arrival by more than ${futureToleranceMs} ms`)
    if (at > now) note(this.#noticed, 'time-clamped')
    return Math.min(at, now)
  }

  /** Named in the message; in the bed that the message names; whom the device measured. All of it at the time of the reading. */
  #patientOf ({ patient, authority, ward, bed }: Addressed, at: EventTimeMs): string | MappedMessage {
    const { mapping } = this.#context
    const named = (id: string): string | MappedMessage => identifierOf(mapping, authority ?? '', id) ?? this.#reject('patient-missing', 'the authority of the patient\'s identifier is not one of this feed')
    if (patient != null) return named(patient)
    if (ward != null && bed != null) return this.#inBed(ward, bed, at)
    const association = this.#devices.associationAt(this.#device, at)
    if (association === undefined) return this.#reject('device-unmapped', 'no patient: none named, and nobody was associated with the device at that time')
    return 'patient' in association ? named(association.patient) : this.#inBed(association.ward, association.bed, at)
  }

  #inBed (ward: string, bed: string, at: EventTimeMs): string | MappedMessage {
    return this.#context.patientInBed(ward, bed, at) ?? this.#reject('device-unmapped', 'no patient: nobody lay in the bed at that time')
  }

  #observed (message: Addressed, patient: string, observations: readonly Observation[], refused: readonly RefusedNumeric[], list: 'numerics' | 'waves'): MappedMessage {
    const events: MappedEvent[] = observations.length === 0 ? [] : [{ patient: { id: patient }, event: { type: 'observations', kind: 'device', source: this.#source, observations } }]
    const channel = list === 'numerics' ? '' : `${list}|`
    return this.#mapped(events, refused.map(part => this.#part(message, list, part)), `${this.#device}|${channel}${message.seq ?? String(message.time)}`)
  }

  /** The message with only the part that was refused, so that it can be read again once the cause is gone. */
  #part (message: Addressed, list: 'numerics' | 'waves', { index, cause, detail }: RefusedNumeric): RefusedPart {
    const parts = (message as unknown as Readonly<Record<string, readonly unknown[]>>)[list]!
    const payload = parts.length === 1 ? this.#payload : JSON.stringify({ ...message, [list]: [parts[index]] })
    return { fault: { cause, detail }, raw: toEnvelope(`latido/devices/${this.#device}/${this.#channel}`, payload) }
  }

  #with<T> (parsed: Parsed<T>, read: (value: T) => MappedMessage): MappedMessage { return parsed.kind === 'ok' ? read(parsed.value) : this.#reject('malformed', parsed.detail) }
  #mapped (events: readonly MappedEvent[], refused: readonly RefusedPart[], id: string): MappedMessage { return { kind: 'mapped', source: this.#source, id, content: this.#payload, events, refused, notices: this.#notices ?? NOTHING } }
  #reject (cause: Fault['cause'], detail: string): MappedMessage { return rejected(this.#source, cause, detail, this.#notices ?? NOTHING) }
}

function rejected (source: string, cause: Fault['cause'], detail: string, notices: Notices = new Map()): MappedMessage { return { kind: 'rejected', source, fault: { cause, detail }, notices } }
