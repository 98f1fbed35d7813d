import { belongsOnBoard, type PatientAlert, type PatientSummary } from '../../../dashboards/server/index.ts'
import { alertRank, type BoardEntity } from '../../../features/board/index.ts'
import type { AlertRule } from '../../../inference/alerts/index.ts'
import type { ArrivalTimeMs } from '../../../streams/time/index.ts'

/** What each rule is called on the pages, in every language of theirs (tested): who reads it there may type it. */
export const RULE_WORDS: Readonly<Record<AlertRule, string>> = {
  'news2-emergency': 'NEWS2 emergency emergencia',
  'news2-urgent': 'NEWS2 urgent urgente',
  'sepsis-risk': 'Sepsis risk Riesgo de sepsis',
  'no-data': 'No data from bedside Sin datos de cabecera',
}

/** A patient as people search for one, from what a card shows; the name is not of it. */
export function entityOf (summary: PatientSummary, updatedAt: ArrivalTimeMs): BoardEntity {
  const { patient, ward, bed, admitted, ageYears, sex, news2, score } = summary
  const open = summary.alerts.filter(alert => alert.state !== 'cleared')
  const worst = worstOf(open)
  const probability = score === null || !Number.isFinite(score.probability) ? null : score.probability
  return {
    patient, ward, bed, admitted, onBoard: belongsOnBoard(summary), ageYears, sex,
    news2: news2?.score ?? null, news2Missing: news2?.missing ?? [],
    risk: probability, riskModel: score === null || probability === null ? '' : `${score.model} ${score.modelVersion}`,
    ...worst, updatedAt,
    text: [ward, bed, ...new Set(open.map(({ rule }) => RULE_WORDS[rule]))].join(' '),
  }
}

function worstOf (alerts: readonly PatientAlert[]): Pick<BoardEntity, 'alertState' | 'alertPriority'> {
  let worst: Pick<BoardEntity, 'alertState' | 'alertPriority'> = { alertState: 'none', alertPriority: 'none' }
  for (const { state, priority } of alerts) {
    if (state !== 'cleared' && alertRank(state, priority) > alertRank(worst.alertState, worst.alertPriority)) worst = { alertState: state, alertPriority: priority }
  }
  return worst
}
