import type { ArrivalTimeMs, EventTimeMs } from '../../../streams/time/index.ts'
import type { OutboundAlert, OutboundReason } from '../../kit/index.ts'

/** NEWS2 of a patient; with parts missing it is a lower bound. */
export interface StandingNews2 { readonly score: number, readonly missing: readonly string[], readonly asOf: ArrivalTimeMs }

/** The newest risk score of a model. */
export interface StandingRisk { readonly model: string, readonly version: string, readonly probability: number, readonly asOf: ArrivalTimeMs, readonly reasons: readonly OutboundReason[] }

export type StandingAlert = Omit<OutboundAlert, 'kind' | 'patient'>

/** How a patient stands now: what the ward board shows. */
export interface PatientStanding {
  /** Open ones: active, acknowledged, latched. */
  readonly alerts: readonly StandingAlert[]
  readonly news2: StandingNews2 | undefined
  readonly risk: StandingRisk | undefined
  /** Event time of the newest reading; undefined: none is known. */
  readonly newestReading: EventTimeMs | undefined
}

/** Where the service looks patients up. Whoever runs it joins it to the online store. */
export interface PatientStandings {
  /** By an identifier in its namespace; undefined: nobody is known by it. */
  of (id: string): Promise<PatientStanding | undefined>
  /** Somebody took note of an alert; false: there is no such open alert. */
  acknowledge (alertId: string, by: string): Promise<boolean>
}
