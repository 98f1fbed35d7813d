import type { StudyTags } from './study.ts'

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'

/** The code systems of DICOM PS3.16 table 8-1, as FHIR names them. */
const SCHEMES: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org', SCT: 'http://snomed.info/sct', SRT: 'http://snomed.info/srt', SNM3: 'http://snomed.info/srt', DCM: DICOM, RADLEX: 'http://radlex.org', C4: 'http://www.ama-assn.org/go/cpt', I10P: 'http://hl7.org/fhir/sid/icd-10-pcs',
}

/** Modality and body part in one code, where no code of what was done is there: `CT/CHEST`. */
export const MODALITY_AND_BODY_PART = 'urn:latido:dicom:modality-body-part'

/** Objects about images rather than images: reports, presentation states, key objects, segmentations, plans, registrations. */
const NOT_IMAGES: ReadonlySet<string> = new Set(['SR', 'PR', 'KO', 'SEG', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'RTRECORD', 'REG', 'FID', 'DOC', 'AU', 'ANN', 'PLAN', 'RWV', 'HD'])

export interface Code { readonly system: string, readonly code: string }

/** What was done: the procedure's code, else the modality of most series (with the body part, where it has one). undefined: nothing says. */
export function codeOf ({ procedure, modalities, bodyParts }: StudyTags): Code | undefined {
  if (procedure !== undefined) return { system: SCHEMES[procedure.scheme.toUpperCase()] ?? procedure.scheme, code: procedure.code }
  const modality = mostOf(modalities.filter(one => !NOT_IMAGES.has(one))) ?? mostOf(modalities)
  if (modality === undefined) return undefined
  const bodyPart = mostOf(bodyParts)
  return bodyPart === undefined ? { system: DICOM, code: modality } : { system: MODALITY_AND_BODY_PART, code: `${modality}/${bodyPart}` }
}

/** What stands most often; of two that stand as often the first by the alphabet, so that the order of series does not matter. */
function mostOf (sorted: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const one of sorted) counts.set(one, (counts.get(one) ?? 0) + 1)
  let most: string | undefined
  for (const [one, n] of counts) if (most === undefined || n > (counts.get(most) ?? 0)) most = one
  return most
}
