/** A ward that speaks MLLP and MQTT to our own endpoints like any other device. */
export { runSimulator, SIMULATOR_DEFAULTS } from './run.ts'
export type { Endpoint, Simulator, SimulatorOptions } from './run.ts'
/** The same ward without clock and sockets: everything it sends, in order, from a seed. */
export { wardSteps } from './ward-steps.ts'
export type { WardStep } from './ward-step.ts'
export type { WardOptions } from './ward.ts'
export type { Scenario } from './scenario.ts'
/** Seeded randomness. */
export { seededRandom } from './random.ts'
export type { Random } from './random.ts'
