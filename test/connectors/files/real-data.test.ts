import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openMimic3, openPhysionet2019, type HistoricalSource } from '../../../connectors/files/index.ts'
import { isPossible } from '../../../streams/events/index.ts'

const data = (name: string): string => fileURLToPath(new URL(`../../../../shared/data/${name}`, import.meta.url))
const PHYSIONET = data('physionet2019_A.csv.gz')
const MIMIC = data('mimic3demo')
for (const path of [PHYSIONET, MIMIC]) if (!existsSync(path)) console.warn(`SKIPPED: tests on real data, because ${path.slice(path.lastIndexOf('/') + 1)} is not there`)

interface Tally { readonly counts: Record<string, number>, readonly stays: number, readonly possible: boolean, readonly ordered: boolean, readonly causal: boolean, readonly words: Set<string> }

async function tally (source: HistoricalSource): Promise<Tally> {
  const counts: Record<string, number> = { admit: 0, discharge: 0, sets: 0, observations: 0 }
  const count = (what: string, n = 1): void => { counts[what] = (counts[what] ?? 0) + n }
  const words = new Set<string>()
  let [last, possible, ordered, causal] = [0, true, true, true]
  for await (const { arrival, event } of source) {
    if (arrival < last) ordered = false
    last = arrival
    for (const key in event) words.add(key)
    if (event.type === 'encounter') count(event.action)
    if (event.type !== 'observations') continue
    count('sets')
    count('observations', event.observations.length)
    for (const observation of event.observations) {
      if (!isPossible(observation.concept, observation.value)) possible = false
      if (observation.eventTime > arrival) causal = false
      words.add(observation.concept)
    }
  }
  return { counts, stays: counts['admit'] ?? 0, possible, ordered, causal, words }
}

async function measured (what: string, open: () => Promise<HistoricalSource>): Promise<{ source: HistoricalSource, tally: Tally }> {
  const start = performance.now()
  const source = await open()
  const opened = performance.now()
  const result = await tally(source)
  const told = performance.now()
  console.log(`${what}: opened in ${Math.round(opened - start)} ms, ${source.messages} messages in ${Math.round(told - opened)} ms; resident at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB; ${JSON.stringify({ ...result.counts, refused: Object.fromEntries(source.refused), notes: Object.fromEntries(source.notes) })}`)
  return { source, tally: result }
}

describe.skipIf(!existsSync(PHYSIONET))('PhysioNet 2019, training set A', () => {
  test('has its 20,336 stays and 790,215 rows in order, possible values only, and no label', async () => {
    const { source, tally: { counts, possible, ordered, causal, words } } = await measured('PhysioNet 2019 A', () => openPhysionet2019(PHYSIONET))
    expect(counts).toMatchObject({ admit: 20_336, discharge: 20_336, sets: 790_215 })
    expect({ possible, ordered, causal }).toEqual({ possible: true, ordered: true, causal: true })
    expect([...source.refused.keys()]).toEqual(['value-impossible'])
    // Conservation: what the file holds in its measured columns is told or refused.
    expect((counts['observations'] as number) + (source.refused.get('value-impossible') as number)).toBe(5_536_849)
    expect([...words].filter(word => /sepsis|label/i.test(word))).toEqual([])
  }, 120_000)
})

describe.skipIf(!existsSync(MIMIC))('the MIMIC-III demo', () => {
  test('has its 100 patients and 136 stays in order, and possible values only', async () => {
    const { source, tally: { counts, possible, ordered, causal } } = await measured('MIMIC-III demo', () => openMimic3(MIMIC))
    expect(source.patients).toBe(100)
    expect(counts).toMatchObject({ admit: 136, discharge: 136 })
    expect(counts['observations']).toBeGreaterThan(130_000)
    expect({ possible, ordered, causal }).toEqual({ possible: true, ordered: true, causal: true })
    expect(source.refused.get('time-in-future')).toBe(3)
  }, 120_000)
})
