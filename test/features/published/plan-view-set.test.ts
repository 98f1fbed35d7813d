import { describe, expect, it } from 'vitest'
import { constant, featureView, mean, patients, viewKey, type Feature, type FeatureView } from '../../../features/define/index.ts'
import { decodeViewRecord, encodeViewRecord, planViewSet, PublishedViews, ViewAliases, type Dependent, type ViewRecord } from '../../../features/published/index.ts'

const view = (name: string, version: number, features: Readonly<Record<string, Feature>> = { a: mean('spo2').over('5 m') }, more: Partial<Parameters<typeof featureView>[0]> = {}): FeatureView =>
  featureView({ name, version, owner: 'o', description: 'd', ttl: '1 m', emit: { every: '1 s' }, features, ...more }) as FeatureView
const vitals = view('vitals', 1)

class Topic {
  registry = new PublishedViews()
  at = 100
  say (...records: readonly ViewRecord[]): void { for (const record of records) this.registry.apply(decodeViewRecord(encodeViewRecord(record)), this.at++) }
  /** As a start does: append what is new, then look again. */
  start (own: readonly FeatureView[], { standard = [vitals], dependents = [] as readonly Dependent[], isEmpty = false } = {}): ReturnType<typeof planViewSet> {
    this.say(...planViewSet({ standard, own }, this.registry, dependents, isEmpty).records)
    const plan = planViewSet({ standard, own }, this.registry, dependents, isEmpty)
    expect(plan.records).toEqual([])
    return plan
  }

  live (name: string, version: number): void { this.say({ kind: 'live', view: name, version }) }
}
const shown = ({ generations }: ReturnType<typeof planViewSet>): unknown => generations.map(g => [g.number, g.planned.map(viewKey), g.running.map(viewKey), g.since > 0])

describe('which views a start runs', () => {
  it('the first start on a log that has events: standard views speak of all of it, own ones are built beside them', () => {
    expect(shown(new Topic().start([view('shock', 1)]))).toEqual([[0, ['vitals@1'], ['vitals@1'], false], [1, ['shock@1'], ['shock@1'], true]])
  })

  it('on an empty log nothing has to be built', () => {
    const topic = new Topic()
    expect(shown(topic.start([view('shock', 1)], { isEmpty: true }))).toEqual([[0, ['vitals@1'], ['vitals@1'], false], [1, ['shock@1'], ['shock@1'], false]])
    expect(topic.registry.get({ name: 'shock', version: 1 })?.state).toBe('live')
  })

  it('a new version runs beside the old one until it has caught up, then the old one is retired, and neither plan has changed', () => {
    const topic = new Topic()
    topic.start([view('shock', 1), view('other', 1)])
    topic.live('shock', 1)
    const next = view('shock', 2, { b: mean('heartRate').over('1 h') })
    const both = [[0, ['vitals@1'], ['vitals@1'], false], [1, ['shock@1', 'other@1'], ['other@1', 'shock@1'], true], [2, ['shock@2'], ['shock@2'], true]]
    expect(shown(topic.start([next, view('other', 1)]))).toEqual(both)
    expect(shown(topic.start([next, view('other', 1)]))).toEqual(both)
    topic.live('shock', 2)
    expect(shown(topic.start([next, view('other', 1)]))).toEqual([[0, ['vitals@1'], ['vitals@1'], false], [1, ['shock@1', 'other@1'], ['other@1'], true], [2, ['shock@2'], ['shock@2'], true]])
    expect(topic.registry.get({ name: 'shock', version: 1 })?.state).toBe('retired')
    expect(() => topic.start([view('shock', 1)])).toThrow(expect.objectContaining({ code: 'VIEW_RETIRED' }) as Error)
  })

  it('an old version goes on while something depends on it', () => {
    const topic = new Topic()
    topic.start([view('shock', 1)])
    topic.start([view('shock', 2)])
    topic.live('shock', 2)
    expect(topic.start([view('shock', 2)], { dependents: [{ view: 'shock', version: 1, by: 'model m' }] }).running.map(viewKey)).toEqual(['vitals@1', 'shock@2', 'shock@1'])
  })

  it('a view that nobody defines rests, and goes on when it is defined again; a folder that is put back is a way back', () => {
    const topic = new Topic()
    topic.start([view('shock', 1)])
    expect(topic.start([]).idle.map(v => viewKey(v.definition))).toEqual(['shock@1'])
    expect(shown(topic.start([view('shock', 1)]))).toEqual([[0, ['vitals@1'], ['vitals@1'], false], [1, ['shock@1'], ['shock@1'], true]])
  })

  it('views of wards are computed from vectors: no processor of readings has them', () => {
    const topic = new Topic()
    const ward = view('wardSpo2', 1, { a: patients.mean(vitals, 'a') }, { entity: 'ward' })
    expect(shown(topic.start([ward]))).toEqual([[0, ['vitals@1'], ['vitals@1'], false]])
    expect(topic.registry.get(ward)?.state).toBe('live')
  })
})

describe('a published view keeps its meaning', () => {
  const refused = (changed: FeatureView): string => {
    const topic = new Topic()
    topic.start([view('shock', 1, { a: mean('spo2').over('5 m'), b: constant(2), c: constant(3) })])
    try { topic.start([changed]); return 'nothing' } catch (e) { return `${(e as { code: string }).code} ${(e as Error).message}` }
  }

  it.each([
    ['a feature that differs', view('shock', 1, { a: mean('spo2').over('6 m'), b: constant(2), c: constant(3) }), 'features that differ: a'],
    ['a feature that is gone, and one that is new', view('shock', 1, { a: mean('spo2').over('5 m'), b: constant(2), d: constant(3) }), 'features that are gone: c; features that are new: d'],
    ['another ttl', view('shock', 1, { a: mean('spo2').over('5 m'), b: constant(2), c: constant(3) }, { ttl: '2 m' }), 'ttl was 60000 ms and is 120000 ms'],
    ['another order', view('shock', 1, { b: constant(2), a: mean('spo2').over('5 m'), c: constant(3) }), 'the order of its features'],
  ])('%s is refused', (_what, changed, says) => {
    expect(refused(changed)).toBe(`VIEW_CHANGED view shock@1 was published with another meaning: ${says}`)
  })

  it('who owns it, how it is described and how often it emits may change', () => {
    expect(refused(view('shock', 1, { a: mean('spo2').over('5 m'), b: constant(2), c: constant(3) }, { owner: 'x', description: 'y', emit: { every: '1 h' } }))).toBe('nothing')
  })

  it('the first of two instances that publish at once is right', () => {
    const topic = new Topic()
    const records = (v: FeatureView): readonly ViewRecord[] => planViewSet({ standard: [], own: [v] }, new PublishedViews(), [], false).records
    topic.say(...records(view('shock', 1)), ...records(view('shock', 1, { a: constant(1) })))
    expect(() => topic.start([view('shock', 1, { a: constant(1) })])).toThrow(/another meaning/)
    expect(() => topic.start([view('shock', 1)])).not.toThrow()
  })

  it('what is written is what is read, also an open bound', () => {
    const band = { ...view('x', 1), expressions: [{ op: 'banded', of: { op: 'constant', value: 1, unit: '1' }, bands: [{ upTo: Infinity, points: 1 }], above: 2 }] } as FeatureView
    const record: ViewRecord = { kind: 'published', definition: band, fingerprint: 'f', generation: 3, silent: true }
    expect(decodeViewRecord(encodeViewRecord(record))).toEqual(record)
    expect(() => decodeViewRecord(Buffer.from('{"format":2,"kind":"live"}'))).toThrow(expect.objectContaining({ code: 'PAYLOAD_INVALID' }) as Error)
  })
})

describe('a bare name', () => {
  it('means the newest version that has caught up, and where none has the newest', () => {
    const aliases = new ViewAliases([view('a', 1), view('a', 2), view('b', 1)], ['a@1'])
    const seen: (number | undefined)[] = []
    aliases.onChange(() => { seen.push(aliases.versionOf('a')) })
    expect([aliases.versionOf('a'), aliases.versionOf('b'), aliases.versionOf('c')]).toEqual([1, 1, undefined])
    aliases.promote([{ name: 'a', version: 2 }])
    expect(seen).toEqual([2])
  })
})
