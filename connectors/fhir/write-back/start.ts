import type { Clock } from '../../../streams/time/index.ts'
import { runOutbound, type Connector, type FeedMapping, type Intake, type OutboundLane, type OutboundLimits, type OutboundSource } from '../../kit/index.ts'
import { isLatidoError } from '../../../streams/errors/index.ts'
import { exchangeOf, type FhirExchange } from '../exchange.ts'
import type { FhirClient } from '../http/index.ts'
import { WriteBack } from './deliver.ts'
import type { WriteBackOptions } from './options.ts'

export interface FhirWriteBackParts {
  readonly name: string
  readonly client: FhirClient
  /** Called for each lane that has something to send. */
  readonly source: (lane: OutboundLane) => OutboundSource
  readonly options: WriteBackOptions
  /** Its namespaces say which system an identifier has on the server. */
  readonly mapping: () => FeedMapping
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly say?: (line: string) => void
  readonly limits?: Partial<OutboundLimits>
}

/** Writes alerts (DetectedIssue) and scores (Observation) to a FHIR server, a patient's alerts in order and its scores in order, each once. The positions are the sources'. */
export function startFhirWriteBack ({ name, client, source, options, mapping, intake, clock, say, limits }: FhirWriteBackParts): Connector {
  const exchange = exchangeOf(client)
  const writeBack = new WriteBack({ exchange, options, mapping, clock })
  const { alerts, scores, clinicalScores } = options
  const lanes: readonly OutboundLane[] = [...alerts.length > 0 ? ['alerts'] as const : [], ...scores.length + clinicalScores.length > 0 ? ['scores'] as const : []]
  return runOutbound({
    name, kind: 'fhir-out', endpoint: client.baseUrl, sources: lanes.map(lane => source(lane)), intake, clock, deliver: (item, signal, isAsked) => writeBack.deliver(item, signal, isAsked),
    reach: signal => reach(exchange, signal),
    ...say === undefined ? {} : { say }, ...limits === undefined ? {} : { limits },
  })
}

/** Each server says what it is (R4, http.html, "capabilities"). */
async function reach (exchange: FhirExchange, signal: AbortSignal): Promise<string> {
  try {
    const { status, resource } = await exchange({ method: 'GET', path: 'metadata', signal })
    return status === 200 && resource?.resourceType === 'CapabilityStatement' ? '' : `what answers there is no FHIR server (${status} to /metadata)`
  } catch (e) {
    if (isLatidoError(e)) return e.message
    throw e
  }
}
