import type { StatementEvent, StatementKind, StatementStatus } from '../../../streams/events/index.ts'
import type { EventTimeMs } from '../../../streams/time/index.ts'
import { note, type Fault } from '../../kit/index.ts'
import { codeIn } from './coding.ts'
import { isFault, plausible, refused, resultIdOf, tellUnmapped, type Scope, type Told } from './scope.ts'
import type { FhirTime } from './time.ts'
import { text, type CodeableConcept, type FhirResource, type Quantity } from './types.ts'

export interface Statement {
  readonly kind: StatementKind
  readonly status: StatementStatus
  /** The first that has a coding is the statement's code. */
  readonly codes: readonly (CodeableConcept | undefined)[]
  /** Where the time stands, for a refusal. */
  readonly where: string
  /** Candidates, in order: the first that is there. */
  readonly at: readonly FhirTime[]
  readonly end?: FhirTime
  readonly quantity?: Quantity | undefined
  /** After the resource's id, where a resource makes several statements. */
  readonly part?: string
}

/** A statement of a resource. A resource in words alone is refused as unknown: free text goes nowhere. */
export function state (resource: FhirResource, statement: Statement, scope: Scope): Told {
  const event = statementOf(resource, statement, scope)
  return isFault(event) ? refused(resource, event) : { events: [event] }
}

export function statementOf (resource: FhirResource, statement: Statement, scope: Scope): StatementEvent | Fault {
  const status = scope.deleted ? 'withdrawn' : statement.status
  const code = codeIn(statement.codes)
  if (code === undefined && status !== 'withdrawn') {
    tellUnmapped(scope, statement.codes[0])
    return { cause: 'code-unknown', detail: `${resource.resourceType} has no coding` }
  }
  const eventTime = timeOf(statement, status === 'withdrawn', scope)
  if (isFault(eventTime)) return eventTime
  const { quantity } = statement
  const value = typeof quantity?.value === 'number' && Number.isFinite(quantity.value) ? quantity.value : NaN
  return {
    type: 'statement', kind: statement.kind, source: scope.source, statementId: resultIdOf(resource, ...(statement.part === undefined ? [] : [statement.part])), status,
    system: code?.system ?? '', code: code?.code ?? '', eventTime, endTime: endOf(statement.end, eventTime), value, unit: Number.isNaN(value) ? '' : (text(quantity?.code) || text(quantity?.unit)).slice(0, 40),
  }
}

/** A statement without any time is of now, and counted: what is known of a patient holds whenever it was written down. */
function timeOf ({ at, where }: Statement, withdrawn: boolean, scope: Scope): EventTimeMs | Fault {
  const parsed = at.find(one => one.kind !== 'empty')
  if (parsed === undefined) { note(scope.notices, 'time-missing'); return scope.now }
  const time = plausible(parsed, where, scope, 'taken')
  return isFault(time) && withdrawn ? scope.now : time
}

function endOf (end: FhirTime | undefined, from: EventTimeMs): EventTimeMs { return end?.kind === 'time' && end.end > from ? end.end : -1 }
