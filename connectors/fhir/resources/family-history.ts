import type { StatementEvent, StatementStatus } from '../../../streams/events/index.ts'
import type { FamilyMemberHistory, FamilyMemberHistoryCondition } from 'fhir/r4.js'
import { ARCHIVED, isFault, type RefusedResource, type Scope, type Told } from './scope.ts'
import { statementOf } from './statement.ts'
import { parseTime } from './time.ts'
import { list, text } from './types.ts'

const STATUSES: Readonly<Record<string, StatementStatus>> = { partial: 'active', completed: 'active', 'entered-in-error': 'withdrawn' }

/** A statement for each condition of a relative; its value is the age at its onset in years. What is not known of a relative is archived. */
export function familyHistory (resource: FamilyMemberHistory, scope: Scope): Told {
  const status = STATUSES[text(resource.status)]
  const conditions = list(resource.condition)
  if (status === undefined || conditions.length === 0) return ARCHIVED
  const events: StatementEvent[] = []
  const refused: RefusedResource[] = []
  for (const [i, condition] of conditions.entries()) {
    const event = statementOf(resource, {
      kind: 'family-history', status, codes: [condition.code], where: 'FamilyMemberHistory.date', at: [parseTime(resource.date, scope.mapping.zone)], quantity: condition.onsetAge, part: conditionPart(condition, i),
    }, scope)
    if (isFault(event)) refused.push({ fault: event, part: { ...resource, condition: [condition] } })
    else events.push(event)
  }
  return { events, refused }
}

export function conditionPart (condition: FamilyMemberHistoryCondition, at: number): string { return text(list(condition.code.coding)[0]?.code) || String(at) }
