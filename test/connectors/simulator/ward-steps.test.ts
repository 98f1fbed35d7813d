import { describe, expect, it } from 'vitest'
import { messagesOf, news2, numericsOf, START_MS, stepsUntil } from './read-steps.ts'
import type { Message } from './read-steps.ts'

const MIN = 60_000
const HOUR = 3_600_000
const charted = (messages: readonly Message[]): Message[] => messages.filter(message => message.results.has('67775-7'))
const ofPatient = (messages: readonly Message[], patient: string): Message[] => messages.filter(message => message.patient === patient).sort((a, b) => a.takenAt - b.takenAt)

describe('a ward', () => {
  it('sends the same from the same seed, and something else from another', () => {
    expect(stepsUntil(10 * MIN, { seed: 7 })).toEqual(stepsUntil(10 * MIN, { seed: 7 }))
    expect(stepsUntil(10 * MIN, { seed: 7 })).not.toEqual(stepsUntil(10 * MIN, { seed: 8 }))
  })

  it.each([1, 60, 600])('sends in due order, nothing before the start and nothing about the future, at speed %i', speed => {
    const steps = stepsUntil(20 * MIN, { speed })
    expect(steps.every((step, i) => step.dueMs >= (steps[i - 1]?.dueMs ?? START_MS))).toBe(true)
    expect(messagesOf(steps).filter(message => !(message.takenAt <= message.dueMs))).toEqual([])
    expect(numericsOf(steps).filter(message => message.time !== message.dueMs)).toEqual([])
  })

  it('admits every patient before anything else is said of them, and gives each message its own control id', () => {
    const messages = messagesOf(stepsUntil(HOUR, { speed: 60 }))
    const admitted = new Set<string>()
    for (const message of messages) {
      if (message.type === 'ADT^A01') admitted.add(message.patient)
      expect(admitted.has(message.patient)).toBe(true)
    }
    expect(new Set(messages.map(message => message.controlId)).size).toBe(messages.length)
    expect(Math.max(...messages.map(message => message.controlId.length))).toBeLessThanOrEqual(20)
    expect(new Set(messages.map(message => message.type))).toEqual(new Set(['ADT^A01', 'ADT^A02', 'ADT^A03', 'ADT^A08', 'ORU^R01']))
  })

  it('never has two patients in one bed', () => {
    const inBed = new Map<string, string>()
    for (const { type, patient, bed } of messagesOf(stepsUntil(2 * HOUR, { speed: 60 }))) {
      if (!type.startsWith('ADT')) continue
      for (const [other, occupant] of inBed) if (occupant === patient && (type === 'ADT^A03' || other !== bed)) inBed.delete(other)
      if (type === 'ADT^A03') continue
      expect([patient, undefined]).toContain(inBed.get(bed))
      inBed.set(bed, patient)
    }
    expect(inBed.size).toBeGreaterThan(8)
  })

  it.each([1, 2, 3])('opens with a patient whose charted set of the first minute passes NEWS2 7, from seed %i', seed => {
    const acute = charted(messagesOf(stepsUntil(MIN, { seed }))).filter(message => message.patient === 'SIM-0003' && message.takenAt >= START_MS)
    expect(acute.map(news2).some(score => score >= 7)).toBe(true)
  })

  it('has a patient who gets worse over hours, and others who stay well', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const messages = charted(messagesOf(stepsUntil(4 * MIN, { seed, speed: 60 })))
      const worse = ofPatient(messages, 'SIM-0007').map(news2)
      expect(Math.max(...worse.slice(6))).toBeGreaterThanOrEqual(Math.max(6, (worse[0] as number) + 3))
      expect(Math.max(...ofPatient(messages, 'SIM-0004').map(news2))).toBeLessThanOrEqual(4)
    }
  })

  it('leaves everybody well in a calm scenario', () => {
    expect(Math.max(...charted(messagesOf(stepsUntil(HOUR, { speed: 60, scenario: 'calm' }))).map(news2))).toBeLessThanOrEqual(4)
  })

  it('shows kidney failure in creatinine, and shock in lactate', () => {
    const messages = messagesOf(stepsUntil(12 * MIN, { speed: 60 }))
    const series = (patient: string, code: string): number[] => ofPatient(messages, patient).flatMap(m => m.results.has(code) ? [Number(m.results.get(code)?.value)] : [])
    const creatinine = series('SIM-0005', '2160-0')
    expect(Math.max(...creatinine) / (creatinine[0] as number)).toBeGreaterThan(1.5)
    expect(Math.max(...series('SIM-0003', '2524-7'))).toBeGreaterThan(3)
  })

  it('corrects a result under the identity of the first one, later', () => {
    const messages = messagesOf(stepsUntil(2 * HOUR, { speed: 60 }))
    const corrections = messages.filter(message => [...message.results.values()].some(({ status }) => status === 'C'))
    expect(corrections.length).toBeGreaterThan(3)
    for (const correction of corrections) {
      const first = messages.find(message => message.order === correction.order)
      expect(first?.controlId).not.toBe(correction.controlId)
      expect(first?.dueMs).toBeLessThan(correction.dueMs)
      expect(Number(first?.results.get('2823-3')?.value)).toBeGreaterThan(Number(correction.results.get('2823-3')?.value) + 1)
    }
  })
})

describe('monitors', () => {
  it('speak once a second', () => {
    const messages = numericsOf(stepsUntil(5 * MIN)).filter(({ device }) => device === 'monitor-01')
    expect(messages.length).toBeGreaterThan(280)
    expect(new Set(messages.slice(1).map((message, i) => message.time - (messages[i]?.time ?? 0)))).toEqual(new Set([1000]))
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i))
  })

  it('speak no more than twice a real second at high speed', () => {
    for (const device of ['monitor-01', 'monitor-03']) {
      const messages = numericsOf(stepsUntil(2 * MIN, { speed: 120 })).filter(message => message.device === device)
      expect(Math.min(...messages.slice(1).map((message, i) => message.time - (messages[i]?.time ?? 0)))).toBeGreaterThanOrEqual(499)
    }
  })

  it('send physiology, apart from few artefacts', () => {
    const limits: Record<string, readonly [number, number]> = { 147842: [38, 190], 151562: [6, 48], 150456: [70, 100], 150033: [62, 210], 150034: [30, 120], 150035: [40, 150], 150021: [62, 210], 150022: [30, 120], 150023: [40, 150], 150344: [34.5, 41] }
    let all = 0, odd = 0, off = 0
    for (const { numerics } of numericsOf(stepsUntil(2 * HOUR, { seed: 3 }))) {
      for (const { code, value, quality } of numerics) {
        const [low, high] = limits[code] as readonly [number, number]
        all++
        if (value === null) off++
        else if (value < low || value > high || quality !== undefined) odd++
      }
    }
    expect(odd).toBeGreaterThan(5)
    expect(odd / all).toBeLessThan(0.01)
    expect(off).toBeGreaterThan(10)
    expect(off / all).toBeLessThan(0.05)
  })
})

describe('lateness', () => {
  it('follows the quantiles of real charts, at the speed of the ward', () => {
    const speed = 60
    const until = 4 * HOUR
    const horizon = 15 * HOUR / speed
    const sets = charted(messagesOf(stepsUntil(until, { speed, seed: 5 }))).filter(({ takenAt }) => takenAt > START_MS + MIN && takenAt < START_MS + until - horizon)
    const minutes = sets.map(({ dueMs, takenAt }) => (dueMs - takenAt) * speed / MIN).sort((a, b) => a - b)
    const quantile = (p: number): number => minutes[Math.floor(p * minutes.length)] as number
    expect(minutes.length).toBeGreaterThan(1500)
    // Times of a message are whole seconds, so up to one simulated minute is added at this speed.
    expect(quantile(0.5)).toBeGreaterThan(12)
    expect(quantile(0.5)).toBeLessThan(18)
    expect(quantile(0.75)).toBeGreaterThan(43)
    expect(quantile(0.75)).toBeLessThan(55)
    expect(quantile(0.95)).toBeGreaterThan(120)
    expect(quantile(0.95)).toBeLessThan(180)
  })
})
