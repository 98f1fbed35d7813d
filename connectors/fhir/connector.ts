import type { ConnectorKind } from '../kit/index.ts'
import { fhirKind } from './kind.ts'
import type { FhirOptions } from './options.ts'
import { startSubscription } from './subscriptions/start.ts'

/** FHIR R4 with all three modes, as a feed names it. */
export const fhirConnector: ConnectorKind<FhirOptions> = fhirKind({ subscription: startSubscription })
