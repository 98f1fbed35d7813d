import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { tempDir } from '../../kit/temp-dir.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

it('a start tells every fault of every feed as "feeds check" does, and opens nothing', () => {
  const directory = tempDir()
  try {
    const [feeds, data] = [join(directory.path, 'feeds'), join(directory.path, 'data')]
    mkdirSync(feeds)
    writeFileSync(join(feeds, 'lab.json'), '{ "connector": "hl7",\n "options": { "prot": 1,\n  "host": 7 } }')
    writeFileSync(join(feeds, 'lab.codes.csv'), 'system,code,concept,unit\nL,a,nothing,\n')
    writeFileSync(join(feeds, 'phones.json'), '{ "connector": "telemedicine",\n "options": { "port": 2590 } }')
    writeFileSync(join(feeds, 'tablets.json'), '{ "connector": "telemedicine",\n "options": { "port": 2590 } }')
    const faults = [
      'latido: lab.json:3: options.host: it is a number; expected: a text', 'latido: lab.json:2: options.prot: there is no such option; did you mean "port"? There are: host, port, profile, limits, tls',
      'latido: lab.codes.csv:2: there is no concept "nothing"; docs/clinical-limits.md lists them', 'latido: tablets.json:2: options.port: port 2590 is that of phones.json already; each feed needs one of its own',
    ]
    const run = (...args: readonly string[]): ReturnType<typeof spawnSync> => spawnSync(process.execPath, ['--import', 'tsx', join(ROOT, 'ops/cli/main.ts'), ...args], { cwd: ROOT, encoding: 'utf8', timeout: 300_000 })
    const start = run('start', '--feeds', feeds, '--data-dir', data, '--http-port', '0')
    expect([start.status, String(start.stderr).trimEnd().split('\n')]).toEqual([1, [...faults, 'latido: 4 faults in the files of the feeds: mend the files; "latido feeds check DIR" looks at them without starting [CONFIG_INVALID]']])
    expect(existsSync(data)).toBe(false)
    const check = run('feeds', 'check', feeds)
    expect(check.status).toBe(4)
    expect(String(check.stdout).split('\n').filter(line => faults.includes(line))).toEqual(faults)
  } finally {
    directory.remove()
  }
})
