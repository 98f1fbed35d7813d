import type { Processor, StateMachine } from '../../../streams/engine/index.ts'
import { partitionFor } from '../../../streams/codec/index.ts'
import type { Log, TopicSpec } from '../../../streams/log/index.ts'

export const IN: TopicSpec = { name: 'toy.in', partitions: 3, timestamps: 'create', retentionMs: 0 }
export const OUT: TopicSpec = { name: 'toy.out', partitions: 3, timestamps: 'create', retentionMs: 0 }
export const DEAD: TopicSpec = { name: 'toy.dead', partitions: 1, timestamps: 'append', retentionMs: 0 }
export const TICK: Buffer = Buffer.from('tick')
const SILENCE_MS = 40
const BEAT_MS = 25

export interface ToyState { count: number, sum: number, closeAt: number, beatAt: number }
export type ToyOut = string

/** Counts values in sessions: says the running sum on each, a beat each 25 ms while open, and closes after 40 ms of silence. Throws on `boom`. */
export const toyMachine: StateMachine<ToyState, string, ToyOut> = {
  name: 'toy',
  empty: () => ({ count: 0, sum: 0, closeAt: -1, beatAt: -1 }),
  step: (state, input, emit) => {
    if (input.kind === 'record') {
      state.count++
      if (input.value === 'boom') throw new Error('boom')
      state.sum += Number(input.value)
      if (state.closeAt < 0) state.beatAt = input.arrival + BEAT_MS
      state.closeAt = input.arrival + SILENCE_MS
      emit(`sum ${state.sum} of ${state.count} at ${input.arrival}`)
      return
    }
    if (input.at >= state.closeAt) {
      emit(`closed ${state.sum} at ${input.at}`)
      Object.assign(state, { count: 0, sum: 0, closeAt: -1, beatAt: -1 })
    } else {
      emit(`beat ${state.sum} at ${input.at}`)
      state.beatAt += BEAT_MS
    }
  },
  nextDue: state => state.closeAt < 0 ? undefined : Math.min(state.closeAt, state.beatAt),
  codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state)), decode: bytes => JSON.parse(bytes.toString()) as ToyState },
}

export const toyProcessor: Processor<ToyState, string, ToyOut> = {
  name: 'toy',
  input: IN.name,
  machine: toyMachine,
  decode: r => {
    const value = r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd)
    if (value === 'tick') return { kind: 'tick' }
    if (value === 'junk') return { kind: 'refused', cause: 'malformed', detail: 'junk' }
    return { kind: 'record', key: r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), value }
  },
  write: ({ key, out, at }, to) => {
    const bytes = Buffer.from(key + out)
    const keyEnd = Buffer.byteLength(key)
    to(OUT.name).add(at, bytes, 0, keyEnd, bytes, keyEnd, bytes.length)
  },
  deadLetter: refused => ({ topic: DEAD.name, key: null, value: Buffer.from(`${refused.cause} ${refused.partition}/${refused.offset} ${refused.raw.toString()}`) }),
  tickTopics: [OUT.name],
  tick: TICK,
  ownsTicks: false,
}

export async function feed (log: Log, key: string | null, value: string, at: number, partition: number = partitionFor(Buffer.from(key ?? ''), IN.partitions)): Promise<void> {
  await log.producer().append({ topic: IN.name, partition }, [{ key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestamp: at }])
}

/** Everything on a topic but ticks, per partition: `time key value`. */
export async function contents (log: Log, topic: string): Promise<readonly (readonly string[])[]> {
  const partitions: string[][] = []
  for (let partition = 0; partition < log.partitionsOf(topic); partition++) {
    const lines: string[] = []
    const reader = log.reader({ topic, partition }, 0)
    for (let run = await reader.next(); run !== undefined; run = await reader.next()) {
      const r = run.records
      while (r.next()) {
        const value = r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd)
        if (value !== 'tick') lines.push(topic === DEAD.name ? value : `${r.timestamp} ${r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd)} ${value}`)
      }
    }
    partitions.push(lines)
  }
  return partitions
}
