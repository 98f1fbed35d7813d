import type { StatementEvent, StatementStatus } from '../../../streams/events/index.ts'
import { note } from '../../kit/index.ts'
import type { QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from 'fhir/r4.js'
import { isFault, refused, type Scope, type Told } from './scope.ts'
import { statementOf, type Statement } from './statement.ts'
import { parseTime } from './time.ts'
import { list, text, type Quantity } from './types.ts'

/** Yes and no as codes: LOINC answers, SNOMED CT qualifiers, HL7 v2 table 0136. */
const YES: ReadonlySet<string> = new Set(['LA33-6', '373066001', 'Y', 'yes', 'true'])
const NO: ReadonlySet<string> = new Set(['LA32-8', '373067005', 'N', 'no', 'false'])
const ITEMS_MAX = 500
const DEPTH_MAX = 10

/**
 * Reported symptoms: a statement for each answer. A yes or no is about the question (the code is its linkId, the system its questionnaire, or its
 * `definition`), and no is `absent`; a chosen coding is what is reported; a number is the value of the question. Free text is left out, and counted.
 */
export function questionnaireResponse (resource: QuestionnaireResponse, scope: Scope): Told {
  const at = parseTime(resource.authored, scope.mapping.zone)
  const withdrawn = resource.status === 'entered-in-error'
  const events: StatementEvent[] = []
  const items = flatten(list(resource.item), DEPTH_MAX)
  if (items.length > ITEMS_MAX) return refused(resource, { cause: 'too-large', detail: `QuestionnaireResponse with more than ${ITEMS_MAX} items` })
  for (const item of items) {
    for (const answer of list(item.answer)) {
      const said = readAnswer(answer, item, text(resource.questionnaire).split('|')[0] ?? '')
      if (said === undefined) { note(scope.notices, 'text-left-out'); continue }
      const { coding, status, quantity, part } = said
      const statement: Statement = { kind: 'symptom', status: withdrawn ? 'withdrawn' : status, codes: [{ coding: [coding] }], where: 'QuestionnaireResponse.authored', at: [at], quantity, part }
      const event = statementOf(resource, statement, scope)
      if (isFault(event)) return refused(resource, event) // the time, which is that of all
      events.push(event)
    }
  }
  return { events }
}

function flatten (items: readonly QuestionnaireResponseItem[], depth: number): readonly QuestionnaireResponseItem[] {
  if (depth === 0) return []
  return items.flatMap(item => [item, ...flatten(list(item.item), depth - 1), ...flatten(list(item.answer).flatMap(one => list(one.item)), depth - 1)])
}

interface Answered { readonly coding: { readonly system: string, readonly code: string }, readonly status: StatementStatus, readonly quantity?: Quantity, readonly part: string }

function readAnswer (answer: QuestionnaireResponseItemAnswer, item: QuestionnaireResponseItem, questionnaire: string): Answered | undefined {
  const [system = '', code = ''] = text(item.definition).includes('#') ? text(item.definition).split('#') : [questionnaire, text(item.linkId)]
  const question = { coding: { system, code }, part: code }
  if (code === '') return undefined
  if (answer.valueBoolean !== undefined) return { ...question, status: answer.valueBoolean ? 'active' : 'absent' }
  const chosen = text(answer.valueCoding?.code)
  if (YES.has(chosen)) return { ...question, status: 'active' }
  if (NO.has(chosen)) return { ...question, status: 'absent' }
  if (chosen !== '') return { coding: { system: text(answer.valueCoding?.system), code: chosen }, status: 'active', part: `${code}|${chosen}` }
  const value = answer.valueInteger ?? answer.valueDecimal
  if (value !== undefined) return { ...question, status: 'active', quantity: { value } }
  return answer.valueQuantity === undefined ? undefined : { ...question, status: 'active', quantity: answer.valueQuantity }
}
