import { hl7Sender, hl7SenderSchema, withSecrets } from '../../../connectors/hl7/index.ts'
import type { Connector } from '../../../connectors/kit/index.ts'
import { secretAt } from '../../security/index.ts'
import { readOptionFile } from '../intake/index.ts'
import { openOutboundSource, type OutboundParts } from './outbound-source.ts'

const NAME = 'hl7-out'

/** Alerts and scores to the receiver that the file names. Throws FILE_UNREADABLE, FILE_INVALID, CONFIG_INVALID, UNSAFE_CREDENTIALS. */
export function openHl7Outbound (file: string, parts: OutboundParts): Connector {
  const options = readOptionFile('--hl7-out', file, hl7SenderSchema, '"Sending" in docs/connectors/hl7-transport.md')
  const { intake, clock, say } = parts
  const tls = options.tls === undefined ? undefined : withSecrets(options.tls, ref => secretAt('--hl7-out', ref, process.env))
  const wants = { itemsMax: 1, scores: options.clinicalScores, everyMs: options.clinicalScoreEveryMs }
  return hl7Sender({ ...options, tls }, { name: NAME, source: lane => openOutboundSource(NAME, lane, parts, wants), intake, clock, ...say === undefined ? {} : { say } })
}
