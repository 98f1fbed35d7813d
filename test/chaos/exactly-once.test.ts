import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { describeWith } from '../kit/servers/index.ts'
import { chaos } from './exactly-once.ts'

/** A few rounds; many are `node --import tsx test/chaos/main.ts --rounds 200 --seed 1 --driver direct`. */
const SEED = Number(process.env['LATIDO_CHAOS_SEED'] ?? 1)

function nativeThere (): boolean {
  try { createRequire(import.meta.url)('node-rdkafka'); return true } catch { return false }
}

const describeKafka = await describeWith('kafka')
describeKafka('exactly once, whatever fails', { timeout: 400_000 }, () => {
  it('over direct: killed, a zombie, partitioned, cut off in the middle, a broker killed', async () => {
    const { failures, rounds } = await chaos({ driver: 'direct', seed: SEED, brokers: 1, rounds: 5, faults: ['killInstance', 'zombie', 'killBroker', 'partition', 'cuts'] })
    expect(failures).toEqual([])
    expect(rounds).toBe(5)
  })

  it.skipIf(!nativeThere())('over native: killed, a zombie', async () => {
    const { failures, rounds } = await chaos({ driver: 'native', seed: SEED, brokers: 1, rounds: 2, faults: ['killInstance', 'zombie'] })
    expect(failures).toEqual([])
    expect(rounds).toBe(2)
  })

  it('canary: outputs that are written outside the transaction are found', async () => {
    const { failures } = await chaos({ driver: 'direct', seed: SEED + 50, brokers: 1, rounds: 12, bug: 'outputs-outside', faults: ['killInstance'] })
    expect(failures.join()).toContain('twice')
  })
})
