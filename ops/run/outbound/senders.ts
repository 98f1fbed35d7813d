import type { Connector } from '../../../connectors/kit/index.ts'
import type { Config } from '../../config/index.ts'
import type { Closers } from '../closers.ts'
import { openFhirWriteBack } from './fhir-write-back.ts'
import { openHl7Outbound } from './hl7-outbound.ts'
import type { OutboundParts } from './outbound-source.ts'

/**
 * Whoever sends alerts and scores, as the options name them. Several instances share the work: the groups of a sender give each partition, and with it
 * a patient, to one of them. Throws FILE_UNREADABLE, FILE_INVALID, CONFIG_INVALID, UNSAFE_CREDENTIALS.
 */
export async function openSenders ({ hl7Out, fhirOut }: Pick<Config, 'hl7Out' | 'fhirOut'>, parts: OutboundParts, closers: Closers): Promise<readonly Connector[]> {
  return [
    ...hl7Out === '' ? [] : [closers.use(openHl7Outbound(hl7Out, parts))],
    ...fhirOut === '' ? [] : [closers.use(await openFhirWriteBack(fhirOut, parts))],
  ]
}

/** The sender of this name, if it can send a dead letter again. */
export function retryOf (senders: readonly Connector[], name: string): { readonly retry: NonNullable<Connector['retry']> } | undefined {
  const { retry } = senders.find(one => one.name === name) ?? {}
  return retry === undefined ? undefined : { retry }
}
