import type { StatementStatus } from '../../../streams/events/index.ts'
import type { DiagnosticReport, Observation } from 'fhir/r4.js'
import type { InboundEvent } from '../../kit/index.ts'
import { observation } from './observation.ts'
import { isFault, type RefusedResource, type Scope, type Told } from './scope.ts'
import { statementOf, type Statement } from './statement.ts'
import { momentOf } from './time.ts'
import { list, text, type CodeableConcept } from './types.ts'

const STATUSES: Readonly<Record<string, StatementStatus>> = {
  registered: 'planned', partial: 'active', preliminary: 'active', final: 'completed', amended: 'completed', corrected: 'completed', appended: 'completed', cancelled: 'withdrawn', 'entered-in-error': 'withdrawn', unknown: 'active',
}

/** That a report exists, and each coded conclusion of it. Results that it refers to come as resources of their own; those that it contains are read here. */
export function report (resource: DiagnosticReport, scope: Scope): Told {
  const events: InboundEvent[] = []
  const refused: RefusedResource[] = []
  const at = [momentOf({ dateTime: resource.effectiveDateTime, period: resource.effectivePeriod }, scope.mapping.zone)]
  const base = { kind: 'report', status: STATUSES[text(resource.status)] ?? 'active', where: 'DiagnosticReport.effective[x]', at } as const
  const { contained: _, conclusionCode: __, ...shell } = resource
  const statements: readonly Statement[] = [
    { ...base, codes: [resource.code] },
    ...list(resource.conclusionCode).map((code, i): Statement => ({ ...base, codes: [code], part: conclusionPart(code, i) })),
  ]
  for (const statement of statements) {
    const event = statementOf(resource, statement, scope)
    if (!isFault(event)) events.push(event)
    else refused.push({ fault: event, part: statement.part === undefined ? shell : { ...shell, conclusionCode: statement.codes.filter(one => one !== undefined) } })
  }
  for (const one of containedIn(resource)) {
    const told = observation(one, scope)
    events.push(...told.events)
    // In its report, whose version says whether it is still to be taken.
    refused.push(...list(told.refused).map(({ fault, part }) => ({ fault, part: { ...shell, contained: [{ ...part, id: text(part.id).slice(`${resource.id ?? ''}.`.length) }] } as DiagnosticReport })))
  }
  return { events, refused }
}

export function conclusionPart (code: CodeableConcept, at: number): string { return `conclusion|${text(list(code.coding)[0]?.code) || at}` }

/** Results that it contains; a contained id is of its container alone. */
export function containedIn (resource: DiagnosticReport): readonly Observation[] {
  return list(resource.contained).flatMap(one => one.resourceType !== 'Observation' ? [] : [{ ...(one as Observation), id: `${resource.id ?? ''}.${one.id ?? ''}`, ...(resource.subject === undefined ? {} : { subject: resource.subject }), ...(resource.meta === undefined ? {} : { meta: resource.meta }) }])
}
