import type { DeadLetterRow, EncounterRow, JsonRow, MergeRow, ObservationsRow, OfflineBatch, StatementRow, VectorRow } from './port.ts'

/** An offline batch that is being filled. */
export class OfflineBatchBuilder implements OfflineBatch {
  readonly observations: ObservationsRow[] = []
  readonly encounters: EncounterRow[] = []
  readonly statements: StatementRow[] = []
  readonly merges: MergeRow[] = []
  readonly vectors: VectorRow[] = []
  readonly scores: JsonRow[] = []
  readonly alerts: JsonRow[] = []
  readonly drift: JsonRow[] = []
  readonly deadLetters: DeadLetterRow[] = []

  /** Records of the log, not values in them. */
  get rows (): number {
    return this.observations.length + this.encounters.length + this.statements.length + this.merges.length + this.vectors.length + this.scores.length + this.alerts.length + this.drift.length + this.deadLetters.length
  }
}
