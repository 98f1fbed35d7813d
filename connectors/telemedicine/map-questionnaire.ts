import type { StatementEvent } from '../../streams/events/index.ts'
import { identityOf } from './envelope.ts'
import { questionnaireItem } from './items.ts'
import { momentOf, readItem, refuseItem, type Mapped, type Setting } from './mapped.ts'

/** A scored questionnaire: each answer a reported symptom with its score, the total a report under the questionnaire's code. All of it, or nothing: a part of a score misleads. */
export function mapQuestionnaire (item: unknown, setting: Setting): Mapped {
  const read = readItem(questionnaireItem, item)
  if (read.kind !== 'ok') return read
  const { questionnaire, authored, answers, total, id } = read.value
  if (answers.length === 0 && total === undefined) return refuseItem('value-unparsable', '/answers', 'neither answers nor a total')
  const eventTime = momentOf(authored, '/authored', setting)
  if (typeof eventTime !== 'number') return eventTime
  const twice = answers.findIndex((one, i) => answers.findIndex(other => other.system === one.system && other.code === one.code) < i)
  if (twice !== -1) return refuseItem('duplicate', `/answers/${twice}`, 'the question was answered before')
  const identity = id === undefined ? identityOf('questionnaire', questionnaire.system, questionnaire.code, String(Date.parse(authored))) : identityOf('own', questionnaire.system, questionnaire.code, id)
  const stated = (kind: StatementEvent['kind'], system: string, code: string, score: number): StatementEvent => ({
    type: 'statement', kind, source: setting.source, statementId: identityOf(identity, system, code), status: 'completed', system, code, eventTime, endTime: -1, value: score, unit: '{score}',
  })
  const statements = answers.map(({ system, code, score }) => stated('symptom', system, code, score))
  return { kind: 'statements', identity, statements: total === undefined ? statements : [...statements, stated('report', questionnaire.system, questionnaire.code, total)] }
}
