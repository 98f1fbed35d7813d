import { expect, test } from 'vitest'
import { LiveMapping, PLAIN_MAPPING, type FeedMapping, type UnmappedCode } from '../../../connectors/kit/index.ts'

const LOCAL: UnmappedCode = { system: 'L', code: 'xk-7', text: 'Serum potassium', unit: 'mmol/L' }
const MAPPED: FeedMapping = { ...PLAIN_MAPPING, codes: new Map([['L|XK-7', { concept: 'potassium' }]]) }

function table (more: Partial<ConstructorParameters<typeof LiveMapping>[0]> = {}): LiveMapping {
  let now = 0
  return new LiveMapping({ mapping: PLAIN_MAPPING, now: () => ++now, ...more })
}

test('a code that nothing maps is counted with its first example, whatever its case', () => {
  const live = table()
  live.unmapped(LOCAL)
  live.unmapped({ ...LOCAL, code: 'XK-7', text: 'another name' })
  expect(live.seen).toEqual([{ ...LOCAL, count: 2, firstAt: 1, lastAt: 2 }])
})

test('the most frequent code comes first', () => {
  const live = table()
  live.unmapped(LOCAL)
  for (let i = 0; i < 3; i++) live.unmapped({ ...LOCAL, code: 'often' })
  expect(live.seen.map(({ code }) => code)).toEqual(['often', 'xk-7'])
})

test('a new mapping forgets the codes that it maps, and only those', () => {
  const live = table()
  live.unmapped(LOCAL)
  live.unmapped({ ...LOCAL, code: 'other' })
  live.takeChanges()
  live.replace(MAPPED)
  expect(live.current).toBe(MAPPED)
  expect(live.seen.map(({ code }) => code)).toEqual(['other'])
  expect(live.takeChanges()).toEqual([['L|XK-7', undefined]])
})

test('what an earlier run has seen is there, without what was mapped meanwhile', () => {
  const first = table()
  first.unmapped(LOCAL)
  first.unmapped({ ...LOCAL, code: 'other' })
  const kept = first.takeChanges().flatMap(([key, seen]) => seen === undefined ? [] : [[key, seen] as const])
  const second = table({ seen: kept, mapping: MAPPED })
  expect(second.seen.map(({ code, count }) => [code, count])).toEqual([['other', 1]])
  expect(second.takeChanges()).toEqual([['L|XK-7', undefined]])
})

test('codes beyond the bound are counted together', () => {
  const live = table({ codesMax: 2 })
  for (const code of ['a', 'b', 'c', 'd', 'a']) live.unmapped({ ...LOCAL, code })
  expect(live.seen.map(({ code, count }) => [code, count])).toEqual([['a', 2], ['b', 1]])
  expect(live.others).toBe(2)
})

test('free text where a code belongs is cut', () => {
  const live = table()
  live.unmapped({ system: 'L', code: 'x'.repeat(5_000), text: 'y'.repeat(5_000), unit: 'z'.repeat(5_000) })
  const { code, text, unit } = live.seen[0]!
  expect([code.length, text.length, unit.length]).toEqual([64, 64, 64])
  expect(text).toBe(`${'y'.repeat(63)}…`)
})

test('changes are handed out once', () => {
  const live = table()
  live.unmapped(LOCAL)
  expect(live.takeChanges()).toHaveLength(1)
  expect(live.takeChanges()).toEqual([])
})
