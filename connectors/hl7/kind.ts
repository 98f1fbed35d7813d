import { z } from 'zod'
import { refuseOpenExposure, type ConnectorKind } from '../kit/index.ts'
import { HL7_LIMITS, type Hl7Limits } from './limits.ts'
import { hl7Mapper } from './mapper.ts'
import type { Hl7Fault } from './outcome.ts'
import { HL7_PROFILE, hl7ProfileSchema, type Hl7Profile } from './profile.ts'
import { resultNamesIn } from './result-names.ts'
import { startHl7 } from './server.ts'
import { hl7ServerTlsSchema, withSecrets, type Hl7ServerTls } from './tls.ts'

/** What a feed of HL7 v2 may say. */
export interface Hl7FeedOptions {
  /** Beyond loopback only with TLS and client certificates: MLLP itself knows no login. */
  readonly host: string
  readonly port: number
  readonly profile: Hl7Profile
  readonly limits: Hl7Limits
  readonly tls?: Hl7ServerTls | undefined
}

const atLeast = (min: number, fallback: number): z.ZodDefault<z.ZodNumber> => z.number().int().min(min).default(fallback)

const limits = z.strictObject({
  frameBytesMax: z.number().int().min(1_024).max(128 * 1024 * 1024).default(HL7_LIMITS.frameBytesMax),
  segmentsMax: atLeast(1, HL7_LIMITS.segmentsMax),
  partsMax: atLeast(1, HL7_LIMITS.partsMax),
  batchMessagesMax: atLeast(1, HL7_LIMITS.batchMessagesMax),
  connectionsMax: atLeast(1, HL7_LIMITS.connectionsMax),
  idleMs: atLeast(1_000, HL7_LIMITS.idleMs),
  partialFrameMs: atLeast(1_000, HL7_LIMITS.partialFrameMs),
  frameBytesPerSecondMin: atLeast(0, HL7_LIMITS.frameBytesPerSecondMin),
  junkBytesMax: atLeast(0, HL7_LIMITS.junkBytesMax),
  handshakeMs: atLeast(100, HL7_LIMITS.handshakeMs),
  drainMs: atLeast(0, HL7_LIMITS.drainMs),
  answersMax: atLeast(0, HL7_LIMITS.answersMax),
})

const options: z.ZodType<Hl7FeedOptions> = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.number().int().min(0).max(65_535).default(2575),
  profile: hl7ProfileSchema.default(HL7_PROFILE),
  limits: limits.default(HL7_LIMITS),
  tls: hl7ServerTlsSchema.optional(),
})

/** HL7 v2 over MLLP; each feed has its port, profile, limits and certificates. */
export const hl7Connector: ConnectorKind<Hl7FeedOptions, Hl7Fault> = {
  kind: 'hl7',
  summary: 'listens for HL7 v2 over MLLP, on TLS 1.3 or plain',
  options,
  mapper: ({ profile, limits }) => hl7Mapper({ profile, limits }),
  listens: ({ host, port }) => ({ host, port }),
  resultsIn: (raw, context, { profile, limits }) => resultNamesIn(raw, context, profile, limits),
  start: async ({ feed, clock, secret }, { host, port, limits, tls }) => {
    refuseOpenExposure({ host, what: 'the HL7 feed', guarded: tls?.clientCertificates === 'required', without: 'to anybody who connects', action: 'give it tls with client certificates' })
    return await startHl7({ host, port, feed, clock, limits, tls: tls === undefined ? undefined : withSecrets(tls, secret) })
  },
}
