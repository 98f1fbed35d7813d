import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { FHIR_OPTIONS, openClient, startFhirWriteBack, writeBackOptions, type FhirOptions, type WriteBackOptions } from '../../connectors/fhir/index.ts'
import type { Connector, Intake, SecretRef } from '../../connectors/kit/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import { secretOf, type IdentityVault } from '../security/index.ts'
import { readOptionFile } from './option-file.ts'
import { logOutboundSource } from './outbound-source.ts'
import type { Stores } from './stores.ts'

export interface FhirWriteBackRun {
  readonly stores: Stores
  readonly vault: Pick<IdentityVault, 'identityOf'>
  readonly intake: Pick<Intake, 'refuse' | 'count'>
  readonly clock: Clock
  readonly say?: (line: string) => void
}

const NAME = 'fhir-out'
const ITEMS_MAX = 100
/** SMART App Launch 2.2: create, read, update and search of what is written, and who the patients are. */
const SCOPE = 'system/Patient.rs system/DetectedIssue.crus system/Observation.crus'

const fileSchema: z.ZodType<{ readonly server: FhirOptions, readonly write: WriteBackOptions }> = z.strictObject({ server: FHIR_OPTIONS, write: writeBackOptions.prefault({} as never) })

/** Alerts and scores to the FHIR server that the file names. Throws FILE_UNREADABLE, FILE_INVALID, UNSAFE_CREDENTIALS, CONFIG_INVALID. */
export async function openFhirWriteBack (file: string, { stores, vault, intake, clock, say }: FhirWriteBackRun): Promise<Connector> {
  const { options: { server, write }, mapping } = readOptionFile('--fhir-out', file, fileSchema, '"Writing back" in docs/connectors/cds-hooks.md')
  const auth = server.auth.kind === 'smart' && server.auth.scope === '' ? { ...server.auth, scope: SCOPE } : server.auth
  const client = await openClient({ clock, secret: secretAt, count: (what, n) => { intake.count(NAME, what, n) } }, { ...server, auth })
  const source = logOutboundSource({
    log: stores.log, group: `latido-${NAME}`, instance: randomUUID(), codecs: stores.codecs, inference: stores.inference, online: stores.online,
    identityOf: patient => vault.identityOf(patient), itemsMax: ITEMS_MAX, onCount: what => { intake.count(NAME, what) },
  })
  return startFhirWriteBack({ name: NAME, client, source, options: write, mapping: () => mapping, intake, clock, ...say === undefined ? {} : { say } })
}

function secretAt (ref: SecretRef): string {
  if ('file' in ref) return secretOf('--fhir-out', ref.file)
  const said = process.env[ref.env]?.trim() ?? ''
  if (said === '') throw new LatidoError('CONFIG_INVALID', `the variable ${ref.env} that --fhir-out names is not set`, 'set it, or name a file')
  return said
}
