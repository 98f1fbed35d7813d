import { snapshotTopic, type Processor } from '../../streams/engine/index.ts'
import type { TopicSpec } from '../../streams/log/index.ts'
import type { ReadRecord } from '../kit/servers/index.ts'

export const PARTITIONS = 4
/** Where rows are kept: on each instance's own disk, or in a compacted topic with a copy on disk. */
export type Snapshots = 'disk' | 'topic'

export interface Names { readonly input: string, readonly output: string, readonly dead: string, readonly group: string }
export function namesOf (run: string): Names { return { input: `${run}.in`, output: `${run}.out`, dead: `${run}.dead`, group: `${run}.counter` } }

export function topicsOf ({ input, output, dead, group }: Names): readonly TopicSpec[] {
  return [...[input, output, dead].map((name): TopicSpec => ({ name, partitions: name === dead ? 1 : PARTITIONS, timestamps: 'create', retentionMs: 0 })), snapshotTopic(group, PARTITIONS)]
}

interface Counted { count: number, sum: number }

/** Says of each record `sequence count sum` of its key: whoever loses, repeats or forgets a record cannot say the same. Input is `sequence number`. */
export function counter ({ input, output, dead, group }: Names): Processor<Counted, string, string> {
  return {
    name: group,
    input,
    machine: {
      name: group,
      empty: () => ({ count: 0, sum: 0 }),
      step: (state, event, emit) => {
        if (event.kind === 'tick') return
        const [sequence = '', number = ''] = event.value.split(' ')
        state.count++
        state.sum += Number(number)
        emit(`${sequence} ${state.count} ${state.sum}`)
      },
      nextDue: () => undefined,
      codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state)), decode: bytes => JSON.parse(bytes.toString()) as Counted },
    },
    decode: r => ({ kind: 'record', key: r.keyBuffer.toString('utf8', r.keyStart, r.keyEnd), value: r.valueBuffer.toString('utf8', r.valueStart, r.valueEnd) }),
    write: ({ key, out, at }, to) => {
      const bytes = Buffer.from(key + out)
      const keyEnd = Buffer.byteLength(key)
      to(output).add(at, bytes, 0, keyEnd, bytes, keyEnd, bytes.length)
    },
    deadLetter: refused => ({ topic: dead, key: null, value: Buffer.from(refused.cause) }),
    tickTopics: [],
    tick: Buffer.from('tick'),
    ownsTicks: false,
  }
}

/** The naive twin of one partition: feed it what the input has, in order, and it says what the output must have. */
export class Oracle {
  readonly #keys = new Map<string, Counted>()

  expect (records: readonly ReadRecord[]): readonly string[] {
    return records.map(({ key, value }) => {
      const name = String(key)
      const [sequence = '', number = ''] = String(value).split(' ')
      const counted = this.#keys.get(name) ?? { count: 0, sum: 0 }
      this.#keys.set(name, counted)
      counted.count++
      counted.sum += Number(number)
      return `${name} ${sequence} ${counted.count} ${counted.sum}`
    })
  }
}

export function said (records: readonly ReadRecord[]): readonly string[] { return records.map(({ key, value }) => `${String(key)} ${String(value)}`) }

/** Where two lists part, in words; undefined if they are equal. */
export function difference (expected: readonly string[], found: readonly string[]): string | undefined {
  const at = expected.findIndex((line, i) => line !== found[i])
  if (at < 0 && found.length === expected.length) return undefined
  const place = at < 0 ? expected.length : at
  const counts = new Map<string, number>()
  for (const line of found) counts.set(line, (counts.get(line) ?? 0) + 1)
  const lost = expected.filter(line => !counts.has(line))
  const extra = found.filter(line => !new Set(expected).has(line))
  const twice = [...counts].filter(([, n]) => n > 1).map(([line]) => line)
  const show = (lines: readonly string[]): string => `${lines.length}${lines.length > 0 ? ` (${lines.slice(0, 3).join('; ')})` : ''}`
  return `from place ${place} of ${expected.length}: expected ${expected.slice(place, place + 3).join('; ')}, found ${found.slice(place, place + 3).join('; ')}. Lost ${show(lost)}, twice ${show(twice)}, never asked for ${show(extra)}`
}
