/** What every connector must do, whatever happens around it: run by the tests of each, and by whoever writes one. */
export { conformanceChecks } from './checks.ts'
export type { ConformanceCheck } from './checks.ts'
/** What a connector brings to be tried. */
export type { ConformanceHarness, Counterparty } from './harness.ts'
