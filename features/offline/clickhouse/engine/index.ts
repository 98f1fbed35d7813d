/** ClickHouse's engine (chdb) in a child process of its own, behind ClickHouse's HTTP protocol on the loopback interface. */
export { startEngine } from './start-engine.ts'
export type { Engine, EngineLogger, EngineOptions, EngineStart, EngineState } from './start-engine.ts'
