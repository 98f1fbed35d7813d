import type { StatementStatus } from '../../../streams/events/index.ts'
import type { ImagingStudy } from 'fhir/r4.js'
import type { Scope, Told } from './scope.ts'
import { state } from './statement.ts'
import { parseTime } from './time.ts'
import { list, text } from './types.ts'

const STATUSES: Readonly<Record<string, StatementStatus>> = { registered: 'planned', available: 'completed', cancelled: 'withdrawn', 'entered-in-error': 'withdrawn', unknown: 'active' }

/** A study: what was done, else its first modality; the value counts its images. */
export function imaging (resource: ImagingStudy, scope: Scope): Told {
  const modality = list(resource.modality)[0] ?? list(resource.series)[0]?.modality
  const images = resource.numberOfInstances
  return state(resource, {
    kind: 'imaging', status: STATUSES[text(resource.status)] ?? 'active', codes: [...list(resource.procedureCode), ...(modality === undefined ? [] : [{ coding: [modality] }])], where: 'ImagingStudy.started',
    at: [parseTime(resource.started, scope.mapping.zone), parseTime(list(resource.series)[0]?.started, scope.mapping.zone)],
    quantity: typeof images === 'number' ? { value: images, code: '{image}' } : undefined,
  }, scope)
}
