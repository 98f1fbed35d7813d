/** Feature views as ClickHouse SQL: every feature of a patient as it was known at any time, from the observations. */
export { compileReadings, compileView } from './compile-view.ts'
export type { CompileOptions } from './compile-view.ts'
