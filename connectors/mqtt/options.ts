import type { Clock } from '../../streams/time/index.ts'
import type { Intake } from '../kit/port.ts'

/** Whom a device measures: a patient as the source names one, or whoever lies in a bed. */
export type Association = { readonly patient: string } | { readonly ward: string, readonly bed: string }

/** Where associations outlive the process: an association is retained by the broker, and the broker is ours. */
export interface AssociationMemory {
  load (): Iterable<readonly [device: string, association: Association]>
  /** Resolves when it is on disk. */
  save (device: string, association: Association | undefined): Promise<void>
}

export interface MqttCredentials { readonly username: string, readonly password: string }

/** What one device or client can cost us; every queue and table of the connector is bounded by one of these. */
export interface MqttLimits {
  /** A payload above this is refused as `too-large` and acknowledged, so that a device does not send it for ever. */
  readonly payloadBytesMax: number
  /** A packet above this is never buffered: the connection is closed. */
  readonly packetBytesMax: number
  readonly clientsMax: number
  /** Devices whose association is kept. */
  readonly devicesMax: number
  readonly numericsPerMessageMax: number
  /** Event times may lead arrival by this much; they are clamped. Beyond it the message is refused. */
  readonly futureToleranceMs: number
  /** How long closing waits for messages that are on their way into the log. */
  readonly drainMsMax: number
}

export const MQTT_LIMITS: MqttLimits = {
  payloadBytesMax: 65_536,
  packetBytesMax: 1_048_576,
  clientsMax: 1_000,
  devicesMax: 10_000,
  numericsPerMessageMax: 256,
  futureToleranceMs: 300_000,
  drainMsMax: 5_000,
}

export interface MqttOptions {
  /** Only loopback without credentials. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly intake: Intake
  readonly clock: Clock
  /** Devices that are mapped before any association message arrives. */
  readonly associations?: Readonly<Record<string, Association>>
  readonly memory?: AssociationMemory
  readonly credentials?: MqttCredentials
  readonly limits?: Partial<MqttLimits>
}
