/** `node --import tsx test/chaos/main.ts --rounds 200 --seed 1 --driver direct`: many rounds of faults; exit code 1 at a difference. */
import { parseArgs } from 'node:util'
import type { Bug } from './bugs.ts'
import { chaos } from './exactly-once.ts'
import type { Driver } from './open-log.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    driver: { type: 'string', default: 'direct' },
    /** `1`, `3`, or both by turns. */
    brokers: { type: 'string', default: 'both' },
    /** Only these, by turns: `zombie,killBroker`. */
    faults: { type: 'string' },
    bug: { type: 'string', default: 'none' },
    rate: { type: 'string', default: '1500' },
    /** Rounds on one cluster before the next is started. */
    cluster: { type: 'string', default: '20' },
  },
})

const total = Number(values.rounds)
const failures: string[] = []
let rounds = 0
let records = 0
let gaveUp = 0
for (let seed = Number(values.seed), turn = 0; rounds < total && failures.length === 0; seed++, turn++) {
  const brokers = values.brokers === '1' || (values.brokers === 'both' && turn % 4 < 2) ? 1 : 3
  const result = await chaos({
    driver: values.driver as Driver, seed, brokers, bug: values.bug as Bug, perSecond: Number(values.rate),
    rounds: Math.min(Number(values.cluster), total - rounds), ...values.faults === undefined ? {} : { faults: values.faults.split(',') },
    say: line => { process.stdout.write(`${line}\n`) },
  })
  rounds += result.rounds
  records += result.records
  gaveUp += result.gaveUp
  failures.push(...result.failures)
}
process.stdout.write(`${rounds} rounds, ${records} records, ${gaveUp} times an instance gave up and was started again, ${failures.length} failures\n${failures.join('\n')}\n`)
process.exit(failures.length === 0 ? 0 : 1)
