import { hl7Sender, hl7SenderSchema } from '../../connectors/hl7/index.ts'
import type { Connector } from '../../connectors/kit/index.ts'
import { readOptionFile } from './option-file.ts'
import { openOutboundSource, type OutboundParts } from './outbound-source.ts'

const NAME = 'hl7-out'

/** Alerts and scores to the receiver that the file names. Throws FILE_UNREADABLE, FILE_INVALID, UNSAFE_CREDENTIALS. */
export function openHl7Outbound (file: string, parts: OutboundParts): Connector {
  const options = readOptionFile('--hl7-out', file, hl7SenderSchema, '"Sending" in docs/connectors/hl7-transport.md')
  const { intake, clock, say } = parts
  const wants = { itemsMax: 1, scores: options.clinicalScores, everyMs: options.clinicalScoreEveryMs }
  return hl7Sender(options, { name: NAME, source: lane => openOutboundSource(NAME, lane, parts, wants), intake, clock, ...say === undefined ? {} : { say } })
}
