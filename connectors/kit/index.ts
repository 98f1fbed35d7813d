/** What every connector shares: the intake, and the port it is used through. */
export type { CheckedTime, Connector, InboundMessage, Intake, PublishOutcome, RefusedInput, SourceIdentity, TimePolicy } from './port.ts'
export { openIntake } from './intake.ts'
export type { IntakeOptions, OpenIntake } from './intake.ts'
export { SealedTable } from './sealed-table.ts'
export type { Sealer } from './beds.ts'
