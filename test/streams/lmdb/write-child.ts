/** `node --import tsx write-child.ts DIRECTORY SEED`: transactions of any kind, for ever. Says how many are on the disk, one line each. */
import { openLmdb } from '../../../streams/lmdb/index.ts'
import { SeededRandom } from '../../kit/random.ts'

const [directory = '', seed = '1'] = process.argv.slice(2)
const random = new SeededRandom(Number(seed))
const root = openLmdb(directory, 'the test store')
const sub = root.openDB<string, string>('sub', {})
setInterval(() => {}, 2 ** 30)
for (let n = 1; ; n++) {
  const [puts, removes] = [random.below(60), random.below(60)]
  const done = root.transaction(() => {
    for (let i = 0; i < puts; i++) void sub.put(`key ${random.below(2_000)}`, 'x'.repeat(random.chance(0.1) ? 9_000 : random.below(700)))
    for (let i = 0; i < removes; i++) void sub.remove(`key ${random.below(2_000)}`)
    void root.put('transactions', n)
  })
  if (random.chance(0.7)) { await done; await root.flushed; process.stdout.write(`${n}\n`) }
}
