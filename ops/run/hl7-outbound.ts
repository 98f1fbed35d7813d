import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hl7Sender, hl7SenderSchema, type Hl7SenderOptions } from '../../connectors/hl7/index.ts'
import type { Connector, Intake } from '../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { IdentityVault } from '../security/index.ts'
import { logOutboundSource } from './outbound-source.ts'
import type { Stores } from './stores.ts'

export interface Hl7OutboundParts {
  readonly stores: Stores
  readonly vault: Pick<IdentityVault, 'identityOf'>
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly say?: (line: string) => void
}

const NAME = 'hl7-out'

/** Alerts and scores to the receiver that the file names. Throws FILE_UNREADABLE, FILE_INVALID, UNSAFE_CREDENTIALS. */
export function openHl7Outbound (file: string, { stores, vault, intake, clock, say }: Hl7OutboundParts): Connector {
  const options = readHl7Outbound(file)
  const source = (): ReturnType<typeof logOutboundSource> => logOutboundSource({
    log: stores.log, group: `latido-${NAME}`, instance: randomUUID(), codecs: stores.codecs, inference: stores.inference, online: stores.online,
    identityOf: patient => vault.identityOf(patient), itemsMax: 1, onCount: what => { intake.count(NAME, what) },
  })
  return hl7Sender(options, { name: NAME, source, intake, clock, ...say === undefined ? {} : { say } })
}

function readHl7Outbound (file: string): Hl7SenderOptions {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the file of --hl7-out cannot be read: ${messageOf(cause)}`, 'check the path and its permissions', cause)
  }
  const parsed = hl7SenderSchema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new LatidoError('FILE_INVALID', `the file of --hl7-out: ${issue!.path.join('.') || 'its content'}: ${issue!.message}`, 'see "Sending" in docs/connectors/hl7-transport.md')
}

function jsonOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // refused as a whole, with its place named above
  }
}
