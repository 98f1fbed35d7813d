import { z } from 'zod'
import type { SecretRef } from '../kit/index.ts'
import { ARTEFACT_RULES, type ArtefactRules } from './artefact-rules.ts'

/** Whom a device measures: a patient as the source names one, or whoever lies in a bed. */
export type Association = { readonly patient: string } | { readonly ward: string, readonly bed: string }

export interface MqttCredentials { readonly username: string, readonly password: string }

/** How messages of devices are read. */
export interface DeviceOptions {
  /** A payload above this is refused as `too-large` and acknowledged, so that a device does not send it for ever. */
  readonly payloadBytesMax: number
  readonly numericsPerMessageMax: number
  /** Devices of which something is kept. */
  readonly devicesMax: number
  /** Event times may lead arrival by this much; they are clamped. Beyond it the message is refused. */
  readonly futureToleranceMs: number
  /** An event time older than this is a clock that is wrong, not a reading that is late. */
  readonly pastToleranceMs: number
  /** Event times are corrected by the estimate of the device's clock, where it is off by 2 s or more. */
  readonly correctClocks: boolean
  readonly artefacts: ArtefactRules
  /** Devices that are mapped before any association message arrives: from ever, until something newer is said. */
  readonly associations: Readonly<Record<string, Association>>
}

/** Of the endpoint that devices connect to. */
export interface EndpointLimits {
  /** A packet above this is never buffered: the connection is closed. */
  readonly packetBytesMax: number
  readonly clientsMax: number
  /** A connection whose CONNECT is not there whole by then is closed. */
  readonly connectMsMax: number
  /** How long closing waits for messages that are on their way into the log. */
  readonly drainMsMax: number
}

/** What one device or client can cost us; every queue and table of the connector is bounded by one of these. */
export type MqttLimits = EndpointLimits & Pick<DeviceOptions, 'payloadBytesMax' | 'numericsPerMessageMax' | 'devicesMax' | 'futureToleranceMs'>

export const DEVICE_OPTIONS: DeviceOptions = {
  payloadBytesMax: 65_536, numericsPerMessageMax: 256, devicesMax: 10_000, futureToleranceMs: 300_000, pastToleranceMs: 31 * 86_400_000,
  correctClocks: false, artefacts: ARTEFACT_RULES, associations: {},
}
export const ENDPOINT_LIMITS: EndpointLimits = { packetBytesMax: 1_048_576, clientsMax: 1_000, connectMsMax: 10_000, drainMsMax: 5_000 }
export const MQTT_LIMITS: MqttLimits = { ...ENDPOINT_LIMITS, payloadBytesMax: DEVICE_OPTIONS.payloadBytesMax, numericsPerMessageMax: DEVICE_OPTIONS.numericsPerMessageMax, devicesMax: DEVICE_OPTIONS.devicesMax, futureToleranceMs: DEVICE_OPTIONS.futureToleranceMs }

/** A feed that devices connect to. */
export interface MqttFeedOptions extends DeviceOptions, EndpointLimits {
  /** Only loopback without credentials. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly username?: string | undefined
  readonly password?: SecretRef | undefined
}

/** A feed that is read from a broker of somebody else's. */
export interface MqttBrokerOptions extends DeviceOptions {
  /** `mqtt://host:1883`, or `mqtts://host:8883` for TLS; without credentials. */
  readonly url: string
  readonly protocol: '5' | '3.1.1'
  /** Names the session at the broker, so each instance has its own, and keeps it. */
  readonly clientId: string
  /** How long the broker keeps messages for us while we are away (MQTT 5; 3.1.1 keeps them as long as the broker likes). */
  readonly sessionExpiryS: number
  /** Instances that share a group split the messages between them; empty: no shared subscription (mosquitto forgets shared ones when it is started again). */
  readonly shareGroup: string
  /** What stands before `/{device}/{channel}` in the broker's topics. */
  readonly topicPrefix: string
  /** Messages that we have and have not acknowledged (MQTT 5: receive maximum). */
  readonly inFlightMax: number
  readonly keepaliveS: number
  /** Our own state is kept there, retained, with a last will; empty: nowhere. */
  readonly statusTopic: string
  readonly username?: string | undefined
  readonly password?: SecretRef | undefined
  /** Of `mqtts`: authorities to trust instead of the system's; our certificate and key, where the broker wants them. */
  readonly ca?: SecretRef | undefined
  readonly certificate?: SecretRef | undefined
  readonly key?: SecretRef | undefined
  readonly reconnectMsMin: number
  readonly reconnectMsMax: number
}

const text = z.string().trim().min(1).max(128)
const secret: z.ZodType<SecretRef> = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })])
const whole = (min: number, max: number, fallback: number): z.ZodDefault<z.ZodNumber> => z.number().int().min(min).max(max).default(fallback)
const switched = <T extends Readonly<Record<string, number | boolean>>>(fallback: T): z.ZodType<T> => z.strictObject(Object.fromEntries(Object.entries(fallback).map(([name, value]) => [name, typeof value === 'boolean' ? z.boolean().default(value) : z.number().nonnegative().default(value)]))).prefault({}) as unknown as z.ZodType<T>
const association: z.ZodType<Association> = z.union([z.strictObject({ patient: text }), z.strictObject({ ward: text, bed: text })])
const artefacts = z.strictObject(Object.fromEntries(Object.entries(ARTEFACT_RULES).map(([name, rule]) => [name, switched(rule as Readonly<Record<string, number | boolean>>)]))).prefault({}) as unknown as z.ZodType<ArtefactRules>

const device = {
  payloadBytesMax: whole(1, 16_777_216, DEVICE_OPTIONS.payloadBytesMax),
  numericsPerMessageMax: whole(1, 10_000, DEVICE_OPTIONS.numericsPerMessageMax),
  devicesMax: whole(1, 1_000_000, DEVICE_OPTIONS.devicesMax),
  futureToleranceMs: whole(0, 86_400_000, DEVICE_OPTIONS.futureToleranceMs),
  pastToleranceMs: whole(60_000, 10 * 366 * 86_400_000, DEVICE_OPTIONS.pastToleranceMs),
  correctClocks: z.boolean().default(false),
  artefacts,
  associations: z.record(z.string(), association).default({}),
}

export const mqttFeedOptions: z.ZodType<MqttFeedOptions> = z.object({
  host: z.string().default('127.0.0.1'),
  port: whole(0, 65_535, 1883),
  username: text.optional(),
  password: secret.optional(),
  packetBytesMax: whole(1_024, 268_435_455, ENDPOINT_LIMITS.packetBytesMax),
  clientsMax: whole(1, 100_000, ENDPOINT_LIMITS.clientsMax),
  connectMsMax: whole(100, 600_000, ENDPOINT_LIMITS.connectMsMax),
  drainMsMax: whole(0, 600_000, ENDPOINT_LIMITS.drainMsMax),
  ...device,
}).refine(({ username, password }) => (username === undefined) === (password === undefined), 'username and password go together')

export const mqttBrokerOptions: z.ZodType<MqttBrokerOptions> = z.object({
  url: z.url({ protocol: /^mqtts?$/ }).refine(url => URL.canParse(url) && new URL(url).username === '' && new URL(url).password === '', 'the URL holds no credentials: username and password name them'),
  protocol: z.enum(['5', '3.1.1']).default('5'),
  clientId: z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, '1 to 64 letters, digits, ".", "_", ":" and "-" alone').default('latido'),
  sessionExpiryS: whole(0, 4_294_967_295, 7 * 86_400),
  shareGroup: z.string().regex(/^[^/+#]*$/, 'the name of a group, without "/", "+" and "#"').default(''),
  topicPrefix: z.string().regex(/^[^+#]+[^+#/]$/, 'the beginning of a topic: at least 2 characters, no "+" or "#", no "/" at its end').default('latido/devices'),
  inFlightMax: whole(1, 65_535, 1_000),
  keepaliveS: whole(5, 65_535, 30),
  statusTopic: z.string().regex(/^[^+#]*$/, 'a topic without "+" and "#"').default(''),
  username: text.optional(),
  password: secret.optional(),
  ca: secret.optional(),
  certificate: secret.optional(),
  key: secret.optional(),
  reconnectMsMin: whole(10, 600_000, 500),
  reconnectMsMax: whole(10, 3_600_000, 30_000),
  ...device,
}).refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), 'certificate and key go together')
