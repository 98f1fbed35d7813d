import { systemClock } from '../../streams/time/index.ts'
import { startCli, type CliOptions } from '../e2e/kit/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import type { Benchmark } from './measure.ts'
import { treeOf, type Usage } from './processes.ts'

const WARD_SECONDS = 60

/** Time to ready on an empty and on a used directory, and memory and processor time of all processes together after a minute of the simulated ward. */
export const start: Benchmark = {
  summary: 'time to ready, memory with the simulated ward',
  run: async ({ seconds = WARD_SECONDS, runs = 1 }) => {
    const fresh: number[] = []
    const again: number[] = []
    const used: Usage[] = []
    for (let run = 0; run < runs; run++) {
      const dir = tempDir()
      const options: CliOptions = { dataDir: dir.path, flags: ['--simulate', 'ward'] }
      const first = await startCli(options)
      fresh.push(first.readyMs / 1_000)
      await systemClock.sleep(seconds * 1_000)
      used.push(...[treeOf(first.pid)].filter(u => u !== undefined))
      await first.end('SIGINT')
      const second = await startCli(options)
      again.push(second.readyMs / 1_000)
      await second.end('SIGINT')
      dir.remove()
    }
    return [
      { name: 'ready, empty directory, from source', unit: 's', values: fresh, target: '15' },
      { name: 'ready again', unit: 's', values: again, target: '15' },
      ...used.length === 0 ? [] : [
        { name: `resident, all processes, after ${seconds} s of the ward`, unit: 'MB', values: used.map(u => u.residentBytes / 1e6), target: '1200' },
        { name: 'proportional set, the same', unit: 'MB', values: used.map(u => u.proportionalBytes / 1e6) },
        { name: 'processor time, the same, start included', unit: 's', values: used.map(u => u.cpuSeconds) },
      ],
    ]
  },
}
