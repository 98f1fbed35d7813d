import { figuresOf, type Moment, type Said, type Story, type Told } from './stories.ts'

/** The twins: what each operator means, in the plainest words. They keep every reading and look at all of it each time. */

interface Reading { readonly key: string, readonly ts: number, readonly value: number }
const asReading = ({ key, ts, value }: Moment, clock: number): Reading => ({ key: key!, ts: Math.min(ts, clock), value })
const byDueAndKey = (a: { readonly due: number, readonly key: string }, b: { readonly due: number, readonly key: string }): number => a.due - b.due || (a.key < b.key ? -1 : 1)

/** Of the windows that a reading is in, the earliest first. */
export function startsOf (ts: number, size: number, every: number): readonly number[] {
  return Array.from({ length: Math.ceil(size / every) }, (_, i) => (Math.floor(ts / every) - i) * every).filter(start => start + size > ts).reverse()
}

export function naiveHopping ({ size, every, grace, corrections = 0, answers = 0 }: { readonly size: number, readonly every: number, readonly grace: number, readonly corrections?: number, readonly answers?: number }): (story: Story) => readonly Told[] {
  return story => {
    const windows = new Map<string, { readonly key: string, readonly start: number, readonly readings: Reading[], said: number, closed: boolean }>()
    const nth = new Map<string, number>()
    let clock = 0
    return story.map(moment => {
      clock = Math.max(clock, moment.at)
      const said: Said[] = []
      const say = (w: { readonly key: string, readonly start: number, readonly readings: Reading[], said: number }, cause: string, at: number): void => { said.push({ key: w.key, start: w.start, end: w.start + size, revision: w.said++, cause, at, figures: figuresOf(w.readings) }) }
      const due = [...windows.values()].filter(w => !w.closed && w.start + size + grace <= clock).map(w => ({ ...w, w, due: w.start + size + grace })).sort(byDueAndKey)
      for (const { w, due: at } of due) { w.closed = true; if (answers === 0) say(w, 'close', at) }
      if (moment.key === undefined) return { said, late: false }
      const reading = asReading(moment, clock)
      let late = false
      const taken = []
      for (const start of startsOf(reading.ts, size, every)) {
        if (start + size + grace + corrections <= clock) { late = true; continue }
        const name = `${reading.key}@${start}`
        const w = windows.get(name) ?? { key: reading.key, start, readings: [], said: 0, closed: start + size + grace <= clock }
        windows.set(name, w)
        w.readings.push(reading)
        taken.push(w)
      }
      if (taken.length > 0) nth.set(reading.key, (nth.get(reading.key) ?? 0) + 1)
      for (const w of taken) if (answers > 0 ? nth.get(reading.key)! % answers === 0 : w.closed) say(w, answers > 0 ? 'reading' : 'revision', clock)
      return { said, late }
    })
  }
}

export function naiveSliding ({ size, grace, answers }: { readonly size: number, readonly grace: number, readonly answers: number }): (story: Story) => readonly Told[] {
  return story => {
    const readings: Reading[] = []
    let clock = 0
    return story.map(moment => {
      clock = Math.max(clock, moment.at)
      if (moment.key === undefined) return { said: [], late: false }
      const reading = asReading(moment, clock)
      if (reading.ts + 1 + grace <= clock) return { said: [], late: true }
      readings.push(reading)
      const mine = readings.filter(r => r.key === reading.key)
      if (mine.length % answers !== 0) return { said: [], late: false }
      const inside = mine.filter(r => r.ts <= reading.ts && r.ts > reading.ts - size)
      return { late: false, said: [{ key: reading.key, start: reading.ts + 1 - size, end: reading.ts + 1, revision: 0, cause: 'reading', at: clock, figures: figuresOf(inside) }] }
    })
  }
}

interface Sitting { readonly key: string, readings: Reading[], said: number, closed: boolean }

export function naiveSession ({ gap, grace, corrections = 0, answers = 0 }: { readonly gap: number, readonly grace: number, readonly corrections?: number, readonly answers?: number }): (story: Story) => readonly Told[] {
  const first = (s: Sitting): number => Math.min(...s.readings.map(r => r.ts))
  const last = (s: Sitting): number => Math.max(...s.readings.map(r => r.ts))
  const closes = (s: Sitting): number => last(s) + gap + grace
  return story => {
    let sessions: Sitting[] = []
    const nth = new Map<string, number>()
    let clock = 0
    return story.map(moment => {
      clock = Math.max(clock, moment.at)
      const said: Said[] = []
      const say = (s: Sitting, cause: string, at: number): void => { said.push({ key: s.key, start: first(s), end: last(s) + gap, revision: s.said++, cause, at, figures: figuresOf(s.readings) }) }
      for (const { s, due } of sessions.filter(s => !s.closed && closes(s) <= clock).map(s => ({ s, key: s.key, due: closes(s) })).sort(byDueAndKey)) { s.closed = true; if (answers === 0) say(s, 'close', due) }
      sessions = sessions.filter(s => closes(s) + corrections > clock)
      if (moment.key === undefined) return { said, late: false }
      const reading = asReading(moment, clock)
      const touched = sessions.filter(s => s.key === reading.key && s.readings.some(r => Math.abs(r.ts - reading.ts) < gap)).sort((a, b) => first(a) - first(b))
      if (touched.length === 0 && reading.ts + gap + grace + corrections <= clock) return { said, late: true }
      const whole: Sitting = { key: reading.key, readings: [...touched.flatMap(s => s.readings), reading], said: 0, closed: false }
      for (const s of touched) if (s.said > 0 && first(s) !== first(whole)) say(s, 'retraction', clock)
      whole.said = Math.max(0, ...touched.map(s => s.said))
      whole.closed = closes(whole) <= clock
      sessions = [...sessions.filter(s => !touched.includes(s)), whole]
      nth.set(reading.key, (nth.get(reading.key) ?? 0) + 1)
      if (answers > 0 ? nth.get(reading.key)! % answers === 0 : whole.closed) say(whole, answers > 0 ? 'reading' : 'revision', clock)
      return { said, late: false }
    })
  }
}
