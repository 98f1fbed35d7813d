import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deletionOf, envelopeOf, fhirMapper } from '../../../connectors/fhir/index.ts'
import { NewestFirst, type KnownVersion } from '../../../connectors/fhir/newest-first.ts'
import { Feed, LiveMapping, type FeedMapping } from '../../../connectors/kit/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { AT, MAPPING, MemoryTable, NOW_MS, patient } from './support.ts'

type PartName = 'a' | 'b' | 'c' | 'own'
type Kind = 'panel' | 'answers' | 'report'

/** A version of a resource, in the order in which the server wrote it. */
interface Version { readonly kind: Kind, readonly id: string, readonly number: number, readonly parts: ReadonlyMap<PartName, number>, readonly of: string, readonly deleted: boolean }

const CODES: Readonly<Record<PartName, readonly [system: string, code: string, concept: string]>> = { a: ['http://loinc.org', '8480-6', 'systolic'], b: ['http://loinc.org', '8462-4', 'diastolic'], c: ['http://loinc.org', '8478-0', 'meanPressure'], own: ['urn:ward', 'PULS', 'heartRate'] }
const KNOWING: FeedMapping = { ...MAPPING, codes: new Map([['URN:WARD|PULS', { concept: 'heartRate', unit: '/min' }]]) as never }
const KINDS: readonly Kind[] = ['panel', 'panel', 'answers', 'report']

/** The naive twin: what a version says, as it would stand on the log. */
function says ({ kind, id, parts, of, deleted }: Version): readonly string[] {
  if (deleted) return []
  const who = `MRN-${of}`
  if (kind === 'panel') return [...parts].map(([name, value]) => `${who} Observation/${id}|${CODES[name][1]} ${CODES[name][2]} ${value}`)
  if (kind === 'answers') return [...parts].map(([name, value]) => `${who} QuestionnaireResponse/${id}|${name} ${name} ${value % 2 === 0 ? 'active' : 'absent'}`)
  const conclusions = [...parts].filter(([name]) => name !== 'own').map(([name]) => `${who} DiagnosticReport/${id}|conclusion|${name} ${name} completed`)
  return [`${who} DiagnosticReport/${id} R completed`, ...conclusions, ...[...parts].filter(([name]) => name === 'own').map(([, value]) => `${who} Observation/${id}.k|PULS heartRate ${value}`)]
}

function messageOf (version: Version, byTime: boolean): Buffer {
  const { kind, id, number, parts, of, deleted } = version
  const at = new Date(Date.parse(AT) + number * 1_000).toISOString()
  const type = kind === 'panel' ? 'Observation' : kind === 'answers' ? 'QuestionnaireResponse' : 'DiagnosticReport'
  if (deleted) return deletionOf(type, id, at, undefined, [])
  const base = { resourceType: type, id, meta: byTime ? { lastUpdated: at } : { versionId: String(number), lastUpdated: at }, subject: { reference: `Patient/${of}` } }
  const valued = ([name, value]: readonly [PartName, number]): object => ({ code: { coding: [{ system: CODES[name][0], code: CODES[name][1] }] }, valueQuantity: { value, unit: name === 'own' ? '/min' : 'mmHg', code: name === 'own' ? '/min' : 'mm[Hg]' } })
  const said = kind === 'panel' ? { status: 'final', effectiveDateTime: AT, code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] }, component: [...parts].map(valued) }
    : kind === 'answers' ? { status: 'completed', authored: AT, questionnaire: 'urn:q', item: [...parts].map(([name, value]) => ({ linkId: name, answer: [{ valueBoolean: value % 2 === 0 }] })) }
      : { status: 'final', effectiveDateTime: AT, code: { coding: [{ system: 'urn:r', code: 'R' }] }, conclusionCode: [...parts].filter(([name]) => name !== 'own').map(([name]) => ({ coding: [{ system: 'urn:c', code: name }] })), contained: [...parts].filter(([name]) => name === 'own').map(one => ({ resourceType: 'Observation', id: 'k', status: 'final', effectiveDateTime: AT, ...valued(one) })) }
  return envelopeOf({ ...base, ...said } as never, [patient(of)] as never)
}

/** What stands on the log: of each result and each statement what was said last. */
function standing ({ published }: FakeIntake): readonly string[] {
  const all = new Map<string, string | undefined>()
  for (const { event, patient: { id } } of published) {
    if (event.type === 'observations') for (const one of event.observations) all.set(`${id} ${one.resultId} ${one.concept}`, one.status === 'withdrawn' ? undefined : String(one.value))
    if (event.type === 'statement') all.set(`${id} ${event.statementId} ${event.code}`, event.status === 'withdrawn' ? undefined : event.status)
  }
  return [...all].flatMap(([name, value]) => value === undefined ? [] : [`${name} ${value}`]).sort()
}

const versions: fc.Arbitrary<readonly Version[]> = fc.array(fc.record({
  resource: fc.nat(KINDS.length - 1), names: fc.subarray<PartName>(['a', 'b', 'c', 'own']), value: fc.integer({ min: 60, max: 63 }), other: fc.integer({ min: 0, max: 5 }), gone: fc.integer({ min: 0, max: 7 }),
}), { minLength: 1, maxLength: 10 }).map(drawn => {
  const numbers = KINDS.map(() => 0)
  return drawn.map(({ resource, names, value, other, gone }): Version => ({
    kind: KINDS[resource]!, id: `r${resource}`, number: ++numbers[resource]!, parts: new Map(names.map((name, i) => [name, value + i])), of: other === 0 ? 'p2' : 'p1', deleted: gone === 0 && numbers[resource]! > 1,
  }))
})

/** A delivery of one of the versions, late or again; before it a restart, and at it a crash between the log and the table. */
interface Step { readonly pick: number, readonly restart: boolean, readonly crash: boolean, readonly learn: boolean, readonly retry: number }
const step: fc.Arbitrary<Step> = fc.record({ pick: fc.nat(999), restart: fc.boolean(), crash: fc.boolean(), learn: fc.integer({ min: 0, max: 5 }).map(n => n === 0), retry: fc.integer({ min: 0, max: 12 }) })

/** What was found in long runs: a deletion comes before the version that it deleted; what was deleted, or replaced, is said again word for word. */
type Example = [versions: readonly Version[], steps: readonly Step[], seed: number]
const report = (number: number, names: readonly PartName[], deleted = false): Version => ({ kind: 'report', id: 'r3', number, parts: new Map(names.map((name, i) => [name, 60 + i])), of: 'p2', deleted })
const picks = (...all: readonly number[]): readonly Step[] => all.map(pick => ({ pick, restart: false, crash: false, learn: false, retry: 12 }))
const FOUND: Example[] = [
  [[report(1, []), report(2, []), report(3, [], true)], picks(0, 2, 1), 0],
  [[report(1, ['b', 'c']), report(2, [], true), report(3, ['b', 'c'])], picks(0, 1, 2), 0],
  [[report(1, ['own']), report(2, ['a']), report(3, ['own'])], picks(0, 1, 2), 0],
]

class World {
  readonly intake = new FakeIntake(NOW_MS)
  readonly table = new MemoryTable<KnownVersion>()
  readonly mapping = new LiveMapping({ mapping: MAPPING, now: () => NOW_MS, seen: [] })
  feed!: Feed
  newest!: NewestFirst
  constructor () { this.restart() }
  restart (): void {
    this.feed = new Feed({ name: 'ehr', kind: 'fhir', intake: this.intake, mapping: this.mapping, map: fhirMapper() })
    this.newest = new NewestFirst(this.feed, this.table)
  }

  async take (raw: Buffer, crash: boolean): Promise<void> {
    if (crash) {
      this.table.beforeSave = () => { throw new Error('killed') }
      await this.newest.take(raw).catch(() => {})
      this.table.beforeSave = () => {}
      this.restart()
    }
    await this.newest.take(raw)
  }

  async retry (raw: Buffer): Promise<void> { await this.feed.retry(raw) }
}

it.each([['by number', false], ['by the time at which the server wrote them', true]])('what stands is what the newest version says that came of each resource, in whatever order, however often, across restarts, crashes and retries; versions %s', async (_, byTime) => {
  await fc.assert(fc.asyncProperty(versions, fc.array(step, { minLength: 1, maxLength: 14 }), fc.nat(999), async (all, steps, seed) => {
    const world = new World()
    const newest = new Map<string, Version>()
    for (const { pick, restart, crash, learn, retry } of steps) {
      if (restart) world.restart()
      if (learn) world.mapping.replace(KNOWING)
      const version = all[pick % all.length]!
      // A deletion carries no number: what comes about it, before or after, is known by time alone. No two versions are of one moment here: of those the later to come holds.
      if (version.number > (newest.get(version.id)?.number ?? 0)) newest.set(version.id, version)
      await world.take(messageOf(version, byTime), crash)
      const { refused } = world.intake
      if (retry < refused.length) await world.retry(refused[retry]!.raw)
    }
    world.mapping.replace(KNOWING)
    const letters = world.intake.refused.map(({ raw }) => raw)
    for (let i = 0; i < letters.length; i++) await world.retry(letters[(i + seed) % letters.length]!)
    expect(standing(world.intake)).toEqual([...newest.values()].flatMap(says).sort())
    expect(world.table.rows.size).toBeLessThanOrEqual(KINDS.length)
  }), { numRuns: 150, examples: FOUND })
}, 120_000)

