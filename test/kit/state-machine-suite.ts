import { deserialize, serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyedMachine, type Emitted, type SnapshotRow, type StateMachine } from '../../streams/engine/index.ts'

/** One record or tick of a partition; its place in the list is its offset. */
export interface Moment<In> { readonly arrival: number, readonly key: string | null, readonly value?: In }
export type Story<In> = readonly Moment<In>[]

export interface MachineUnderTest<State, In, Out> {
  readonly name: string
  machine (): StateMachine<State, In, Out>
  /** Keys are few, so that they meet; arrival may go back now and then, the partition's clock does not. */
  readonly stories: fc.Arbitrary<Story<In>>
  readonly runs?: number
}

interface Said { readonly key: string, readonly at: number, readonly offset: number, readonly bytes: string }

/** What every state machine must do; the engine rests on it. */
export function stateMachineSuite<State, In, Out> ({ name, machine, stories, runs = 60 }: MachineUnderTest<State, In, Out>): void {
  const check = (property: (story: Story<In>, dice: readonly number[]) => void): void => {
    fc.assert(fc.property(stories, fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }), property), { numRuns: runs })
  }
  const bare = ({ key, at, bytes }: Said): unknown => [key, at, bytes]

  describe(`state machine: ${name}`, () => {
    it('has something to say in these stories', () => {
      const said = fc.sample(stories, { numRuns: runs, seed: 7 }).map(story => tell(machine(), story).length)
      expect(said.filter(n => n > 0).length).toBeGreaterThan(runs / 4)
    })

    it('says the same bytes when the same records come again', () => {
      check(story => { expect(tell(machine(), story)).toEqual(tell(machine(), story)) })
    })

    it('goes on the same from rows and replay, wherever it was cut and whichever rows were kept', () => {
      check((story, dice) => { expect(tellInLives(machine, story, dice)).toEqual(tell(machine(), story)) })
    })

    it('changes nothing for a patient when another\'s records come', () => {
      check(story => {
        const whole = tell(machine(), story)
        for (const key of keysOf(story)) {
          const alone = story.map((m): Moment<In> => m.key === key ? m : { arrival: m.arrival, key: null })
          expect(tell(machine(), alone).map(bare)).toEqual(whole.filter(s => s.key === key).map(bare))
        }
      })
    })

    it('says what is due on the first record or tick at or after it, with the due time', () => {
      check(story => { expect(tell(machine(), story)).toEqual(tellNaively(machine(), story)) })
    })

    it('says the same however often ticks come', () => {
      check((story, [every = 1]) => { expect(tell(machine(), withTicks(story, (every + 1) * 7_000)).map(bare)).toEqual(tell(machine(), story).map(bare)) })
    })

    it('is never due before the record that made it so', () => {
      check(story => {
        const inner = machine()
        const watched: StateMachine<State, In, Out> = {
          ...inner,
          step: (state, input, emit) => {
            inner.step(state, input, emit)
            const due = inner.nextDue(state)
            if (due !== undefined) expect(due).toBeGreaterThanOrEqual(input.kind === 'tick' ? input.at : input.arrival)
          },
        }
        tell(watched, story)
      })
    })

    it('leaves alone what it has said', () => {
      check(story => {
        const kept: { readonly out: Out, readonly bytes: string }[] = []
        const engine = new KeyedMachine(machine())
        feed(engine, story, 0, e => { kept.push({ out: e.out, bytes: bytesOf(e.out) }) })
        for (const { out, bytes } of kept) expect(bytesOf(out)).toBe(bytes)
      })
    })
  })
}

function bytesOf (out: unknown): string { return serialize(deserialize(serialize(out))).toString('latin1') }

function keysOf<In> (story: Story<In>): readonly string[] { return [...new Set(story.flatMap(m => m.key ?? []))] }

function said<Out> ({ key, at, offset, out }: Emitted<Out>): Said { return { key, at, offset, bytes: bytesOf(out) } }

function feed<State, In, Out> (engine: KeyedMachine<State, In, Out>, story: Story<In>, from: number, emit: (e: Emitted<Out>) => void, to: number = story.length): void {
  for (let offset = from; offset < to; offset++) {
    const { arrival, key, value } = story[offset]!
    if (key === null) engine.tick(offset, arrival, emit)
    else engine.record(offset, arrival, key, value as In, emit)
  }
}

/** One undisturbed run. */
export function tell<State, In, Out> (machine: StateMachine<State, In, Out>, story: Story<In>): readonly Said[] {
  const all: Said[] = []
  feed(new KeyedMachine(machine), story, 0, e => { all.push(said(e)) })
  return all
}

/** The same story in several lives: each restores the rows kept so far, replays in silence from the marker, and lives on for a while. */
function tellInLives<State, In, Out> (machine: () => StateMachine<State, In, Out>, story: Story<In>, dice: readonly number[]): readonly Said[] {
  const all: Said[] = []
  const rows = new Map<string, SnapshotRow>()
  let marker = { offset: 0, clock: 0 }
  let committed = 0
  for (let life = 0; committed < story.length; life++) {
    const engine = new KeyedMachine(machine())
    const before = [...rows.values()].map(row => row.bytes.toString('latin1'))
    if (committed > 0) engine.restore(rows.values(), marker)
    feed(engine, story, committed > 0 ? marker.offset : 0, () => {}, committed)
    const until = life >= dice.length ? story.length : Math.min(story.length, committed + 1 + Math.floor(dice[life]! * story.length / 20))
    feed(engine, story, committed, e => { all.push(said(e)) }, until)
    expect([...rows.values()].map(row => row.bytes.toString('latin1')), 'a state lives on in the bytes it was read from').toEqual(before)
    committed = until
    const snapshot = engine.snapshot(committed, (dice[life % dice.length] ?? 0) % 3)
    for (const row of snapshot.rows) rows.set(row.key, { ...row, bytes: Buffer.from(row.bytes) })
    marker = snapshot.marker
  }
  return all
}

/** The engine's naive twin: after each moment it looks at every key for what is due, earliest first, ties by key. */
function tellNaively<State, In, Out> (machine: StateMachine<State, In, Out>, story: Story<In>): readonly Said[] {
  const all: Said[] = []
  const states = new Map<string, State>()
  let clock = 0
  story.forEach(({ arrival: stamp, key, value }, offset) => {
    const arrival = clock = Math.max(clock, stamp)
    const emit = (k: string, at: number) => (out: Out): void => { all.push({ key: k, at, offset, bytes: bytesOf(out) }) }
    for (;;) {
      const [first] = [...states].flatMap(([k, state]) => { const at = machine.nextDue(state); return at !== undefined && at <= arrival ? [{ k, state, at }] : [] }).sort((a, b) => a.at - b.at || (a.k < b.k ? -1 : 1))
      if (first === undefined) break
      machine.step(first.state, { kind: 'tick', at: first.at }, emit(first.k, first.at))
    }
    if (key === null) return
    const state = states.get(key) ?? machine.empty(key)
    states.set(key, state)
    machine.step(state, { kind: 'record', value: value as In, arrival, offset }, emit(key, arrival))
  })
  return all
}

function withTicks<In> (story: Story<In>, everyMs: number): Story<In> {
  return story.flatMap((moment, i) => {
    const before = story[i - 1]?.arrival ?? moment.arrival
    const between = Math.min(40, Math.floor((moment.arrival - before) / everyMs))
    return [...Array.from({ length: between }, (_, n) => ({ arrival: before + (n + 1) * everyMs, key: null })), moment]
  })
}
