import { z } from 'zod'
import { FHIR_OPTIONS, type FhirOptions, openClient, startFhirWriteBack, writeBackOptions, type WriteBackOptions } from '../../../connectors/fhir/index.ts'
import type { Connector } from '../../../connectors/kit/index.ts'
import { secretAt } from '../../security/index.ts'
import { readMappedOptionFile } from '../intake/index.ts'
import { openOutboundSource, type OutboundParts } from './outbound-source.ts'

const NAME = 'fhir-out'
const ITEMS_MAX = 100
/** SMART App Launch 2.2: create, read, update and search of what is written, and who the patients are. */
const SCOPE = 'system/Patient.rs system/DetectedIssue.crus system/Observation.crus'

const fileSchema: z.ZodType<{ readonly server: FhirOptions, readonly write: WriteBackOptions }> = z.strictObject({ server: FHIR_OPTIONS, write: writeBackOptions.prefault({} as never) })

/** Alerts and scores to the FHIR server that the file names. Throws FILE_UNREADABLE, FILE_INVALID, UNSAFE_CREDENTIALS, CONFIG_INVALID. */
export async function openFhirWriteBack (file: string, parts: OutboundParts): Promise<Connector> {
  const { intake, clock, say } = parts
  const { options: { server, write }, mapping } = readMappedOptionFile('--fhir-out', file, fileSchema, '"Writing back" in docs/connectors/cds-hooks.md')
  const auth = server.auth.kind === 'smart' && server.auth.scope === '' ? { ...server.auth, scope: SCOPE } : server.auth
  const client = await openClient({ clock, secret: ref => secretAt('--fhir-out', ref, process.env), count: (what, n) => { intake.count(NAME, what, n) } }, { ...server, auth })
  const wants = { itemsMax: ITEMS_MAX, scores: write.clinicalScores, everyMs: write.clinicalScoreEveryMs }
  return startFhirWriteBack({ name: NAME, client, source: lane => openOutboundSource(NAME, lane, parts, wants), options: write, mapping: () => mapping, intake, clock, ...say === undefined ? {} : { say } })
}
