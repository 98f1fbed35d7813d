import { fhirMapper, newestFirst, NdjsonReferences } from '../../../connectors/fhir/index.ts'
import { filesKind, type FilesOptions, type FilesParts } from '../../../connectors/files/index.ts'
import type { ConnectorKind } from '../../../connectors/kit/index.ts'

/** Files hold FHIR resources too: connectors know nothing of each other, so they are joined here. */
export const FILES_PARTS: FilesParts = { fhir: { map: fhirMapper({ source: 'file' }), references: () => new NdjsonReferences(), newestFirst } }

export const filesConnector: ConnectorKind<FilesOptions> = filesKind(FILES_PARTS)
