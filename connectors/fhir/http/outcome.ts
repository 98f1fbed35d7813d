import type { OperationOutcome } from 'fhir/r4.js'
import { list, text } from '../resources/index.ts'
import type { Bundle } from '../resources/index.ts'

/** What an OperationOutcome says, as codes: `error processing not-found`. Its texts may name patients and are not repeated. */
export function issuesOf (resource: unknown): readonly string[] {
  const outcome = resource as OperationOutcome | undefined
  if (outcome?.resourceType !== 'OperationOutcome') return []
  return list(outcome.issue).slice(0, 5).map(one => [text(one.severity), text(one.code), text(list(one.details?.coding)[0]?.code)].filter(word => /^[\w.-]{1,40}$/.test(word)).join(' '))
}

/** Issues within a bundle that came with 200: the server left something out of it. Warnings and information are none. */
export function faultsWithin (bundle: Bundle): readonly string[] {
  return list(bundle.entry).flatMap(entry => issuesOf(entry.resource)).filter(issue => /^(error|fatal)\b/.test(issue))
}
