import { cdsHooksOptions, type PatientStanding, type PatientStandings, startCdsHooks } from '../../../connectors/fhir/index.ts'
import type { Connector, Intake } from '../../../connectors/kit/index.ts'
import type { PatientSummary } from '../../../dashboards/server/index.ts'
import type { PatientKey } from '../../../streams/events/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { IdentityVault } from '../../security/index.ts'
import { readMappedOptionFile } from '../intake/index.ts'

export interface CdsHooksRun {
  readonly vault: Pick<IdentityVault, 'keyOf'>
  /** The ward board's answer of one patient. */
  readonly patient: (key: PatientKey) => Promise<PatientSummary | undefined>
  /** True: it is now a record of the log. */
  readonly acknowledge: (alertId: string, by: string) => Promise<boolean>
  readonly count: Intake['count']
  readonly clock: Clock
}

const NAME = 'cds-hooks'

/** The CDS Hooks service as the file says. Throws FILE_UNREADABLE, FILE_INVALID, UNSAFE_EXPOSURE, PORT_IN_USE, CONFIG_INVALID. */
export async function openCdsHooks (file: string, { vault, patient, acknowledge, count, clock }: CdsHooksRun): Promise<Connector> {
  const { options, mapping } = readMappedOptionFile('--cds-hooks', file, cdsHooksOptions, 'docs/connectors/cds-hooks.md')
  const standings: PatientStandings = {
    of: async id => {
      const key = vault.keyOf(id)
      const summary = key === undefined ? undefined : await patient(key)
      return summary === undefined ? undefined : standingOf(summary)
    },
    acknowledge,
  }
  return await startCdsHooks({ name: NAME, options, standings, mapping: () => mapping, count, clock })
}

export function standingOf ({ alerts, news2, score, readings }: PatientSummary): PatientStanding {
  return {
    alerts: alerts.map(alert => ({
      id: alert.alertId, rule: alert.rule, priority: alert.priority, state: alert.state, raisedAt: alert.raisedAt, changedAt: alert.changedAt, onset: alert.onsetEventTime,
      value: alert.value, threshold: alert.threshold, missing: alert.missing, reasons: alert.reasons, basis: alert.basis,
    })),
    news2: news2 ?? undefined,
    risk: score === null ? undefined : { model: score.model, version: score.modelVersion, probability: score.probability, asOf: score.asOf, reasons: score.reasons },
    newestReading: readings.length === 0 ? undefined : Math.max(...readings.map(({ eventTime }) => eventTime)),
  }
}
