/** `node --import tsx test/long/power-cut.ts --seeds 20 --images 500 --from 1`: the embedded log on a disk that loses its cache, for as long as one likes. Exit code 1 where an image was wrong. Needs Linux and gcc. */
import { parseArgs } from 'node:util'
import { tempDir } from '../kit/temp-dir.ts'
import { wrongImages } from '../streams/log/power-cut/check.ts'
import { record } from '../streams/log/power-cut/recording.ts'

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '20' }, images: { type: 'string', default: '500' }, from: { type: 'string', default: '1' } } })
let wrong = 0
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
  const directory = tempDir()
  try {
    const asked = await record(directory.path, seed, 200)
    const found = await wrongImages(directory.path, { seed, images: Number(values.images), forgets: 'nothing', moments: 'all' })
    wrong += found.length
    process.stdout.write(`seed ${seed}: ${asked.length} writes and syncs, ${values.images} images, ${found.length} wrong\n${found.map(line => `  ${line}\n`).join('')}`)
  } finally { directory.remove() }
}
process.exit(wrong === 0 ? 0 : 1)
