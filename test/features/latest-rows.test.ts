import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LatestRows } from '../../features/latest-rows.ts'

it('puts the newest row of each entity, and nothing of the batch before', async () => {
  const rows = new LatestRows()
  const write = fc.record({ table: fc.constantFrom('t', 'u'), entity: fc.constantFrom('anna', 'ben', 'cleo'), value: fc.string({ maxLength: 3_000 }) })
  await fc.assert(fc.asyncProperty(fc.array(write, { maxLength: 40 }), async writes => {
    const twin = new Map<string, readonly [version: number, value: string]>()
    writes.forEach(({ table, entity, value }, version) => {
      const bytes = Buffer.from(value)
      const { buffer, start } = rows.reserve(bytes.length)
      bytes.copy(buffer, start)
      rows.add(table, entity, version, bytes.length)
      twin.set(`${table}/${entity}`, [version, bytes.toString()])
    })
    const put = new Map<string, readonly [version: number, value: string]>()
    await rows.put({ put: given => { for (const { table, entity, version, value } of given) put.set(`${table}/${entity}`, [version, value!.toString()]); return Promise.resolve() } })
    expect(put).toEqual(twin)
  }), { numRuns: 100 })
})
