/** Window operators over columns: tumbling, hopping, sliding, session, joins; and the aggregates that fill them. Knows no topic and no event. */
export { hopping, session, sliding, tumbling } from './windows.ts'
export type { AsOf, AsOfOrClosed, AsOfWindows, ClosingWindows, OnClose, OnReading, WindowMachine } from './windows.ts'
/** What an aggregate is, to write one of your own. */
export { Plan } from './aggregate.ts'
export type { Aggregate, Aggregates, PartialAggregate } from './aggregate.ts'
export { count, first, last, max, mean, min, populationDeviation, sampleDeviation, slope, sum } from './aggregates.ts'
/** What a processor needs to run one. */
export { WindowResult } from './operator.ts'
export type { Cause, EmitResult, Keys, OperatorDefinition, WindowOperator } from './operator.ts'
/** Joins of two streams by key and time. */
export { join, JoinOperator } from './join.ts'
export type { EmitPair, JoinMachine, JoinOptions } from './join.ts'
