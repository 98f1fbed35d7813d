import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock } from '../../../streams/time/index.ts'
import { admission, chartedSet, codeOf, DETERIORATED, MllpClient, runCli, startCli, until } from '../../e2e/kit/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

it('says what is held for a patient, beside a running instance and after it, and names nobody', async () => {
  const dir = tempDir()
  const now = systemClock.now()
  const state = (...args: readonly string[]): ReturnType<typeof runCli> => runCli(['state', ...args, '--data-dir', dir.path])
  let pseudonym: string
  {
    await using cli = await startCli({ dataDir: dir.path, flags: ['--offline', 'off', '--model', 'off'] })
    using sender = await MllpClient.open(cli.mllpPort)
    for (const message of [admission('S-1', 'MRN-77', '01', now), chartedSet('S-2', 'MRN-77', DETERIORATED, now)]) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    const told = await until('a snapshot of the patient', async () => { const answer = await state('inspect', 'MRN-77'); return answer.code === 0 && answer.stdout.includes('Heart rate') ? answer : undefined }, 60_000)
    pseudonym = /^patient (\S+)$/m.exec(told.stdout)?.[1] ?? ''
    expect(pseudonym).toMatch(/^[\w-]{22}$/)
    expect(told.stdout).toMatch(/partition \d, everything below offset \d+, as of 20/)
    expect(told.stdout).toMatch(/Heart rate \(\/min\): last 12\d at 20.*1 readings kept/)
    expect(told.stdout).toContain('view news2@1: last said at')
    expect(told.stdout).not.toMatch(/MRN-77|Invented/)
    await cli.end('SIGINT')
  }
  expect((await state('inspect', pseudonym)).stdout).toContain(`patient ${pseudonym}`)

  const file = join(dir.path, 'out.json')
  expect((await state('export', 'MRN-77', '--out', file)).code).toBe(0)
  const exported = JSON.parse(readFileSync(file, 'utf8')) as { patient: string, held: { stay: { bed: string }, series: { concept: string, readings: unknown[] }[] } }
  expect(exported.patient).toBe(pseudonym)
  expect(exported.held.series.find(s => s.concept === 'heartRate')?.readings).toHaveLength(1)
  expect(readFileSync(file, 'utf8')).not.toContain('MRN-77')
  expect(statSync(file).mode & 0o77).toBe(0)

  const unknown = await state('inspect', 'MRN-78')
  expect([unknown.code, unknown.stdout, unknown.stderr]).toEqual([1, '', 'latido: nothing is held for this patient\n'])
  dir.remove()
})

it.each([
  [['state'], /state cannot "".*CONFIG_INVALID/],
  [['state', 'inspect'], /no patient is named.*CONFIG_INVALID/],
  [['state', 'inspect', 'p', '--data-dir', '/nowhere/at/all'], /there are no snapshots.*FILE_UNREADABLE/],
] as const)('%j ends with one line', async (args, line) => {
  const { code, stderr } = await runCli([...args])
  expect(code).toBe(1)
  expect(stderr).toMatch(line)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
