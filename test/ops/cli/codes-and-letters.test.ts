import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { buildDashboards } from '../../../dashboards/server/index.ts'
import { deadletter } from '../../../ops/cli/commands/deadletter.ts'
import { feeds } from '../../../ops/cli/commands/feeds.ts'
import { importCommand } from '../../../ops/cli/commands/import.ts'
import { helpText } from '../../../ops/cli/help.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeSources } from '../../dashboards/fake-sources.ts'

let sources: FakeSources
let app: Awaited<ReturnType<typeof buildDashboards>>
let url = ''

beforeEach(async () => {
  sources = new FakeSources({ clock: new ManualClock(10_000_000) })
  app = await buildDashboards({ sources })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => { await app.close() })

async function say (command: typeof feeds, ...words: readonly string[]): Promise<string> {
  const said: string[] = []
  using _ = vi.spyOn(process.stdout, 'write').mockImplementation(text => { said.push(String(text)); return true })
  await command.run([...words, '--url', url])
  return said.join('')
}

it('a table of codes is shown, and its codes are mapped, ignored and removed at the running instance', async () => {
  expect(await say(feeds, 'codes', 'lab', '--find', 'l |')).toBe('SYSTEM  CODE    CONCEPT    UNIT\nL       K       potassium  mmol/L\nL       GLOSSE  ignore     -\n2 match\n')
  expect(await say(feeds, 'map', 'lab', 'KREA', 'creatinine', '--system', 'L', '--unit', 'umol/L', '--by', 'lab engineer')).toBe('latido: lab: KREA: means creatinine from now on\n')
  expect(await say(feeds, 'map', 'lab', 'XPULS', 'ignore')).toBe('latido: lab: XPULS: ignored from now on\n')
  expect(sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'KREA', concept: 'creatinine', unit: 'umol/L', by: 'lab engineer' }, { feed: 'lab', system: '', code: 'XPULS', concept: 'ignore', unit: '', by: 'engineer' }])
  expect(await say(feeds, 'remove', 'lab', 'k', '--system', 'L')).toBe('latido: lab: k: no longer in the table (it was potassium in mmol/L)\n')
  await expect(say(feeds, 'remove', 'lab', 'K', '--system', 'L')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'the table has no such code' })
  await expect(say(feeds, 'map', 'lab', 'K')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'FEED, CODE, CONCEPT are needed, and nothing else' })
  sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'lactate', unit: '' }
  await expect(say(feeds, 'map', 'lab', 'KREA', 'sodium')).rejects.toMatchObject({ code: 'INSTANCE_REFUSED', message: expect.stringContaining('CODE_MAPPED') as string })
})

it('letters that match a filter are dropped only once their number was said', async () => {
  expect(await say(deadletter, 'drop', '--feed', 'lab')).toBe('latido: 2 open letters match; nothing was dropped: to drop them say --limit 2\n')
  expect(sources.deadLetters.letters.every(({ state }) => state === 'open')).toBe(true)
  expect(await say(deadletter, 'drop', '--feed', 'lab', '--limit', '1', '--by', 'night shift')).toBe('latido: 1 dropped; 1 more match\n')
  expect(await say(deadletter, 'drop', '--feed', 'lab', '--limit', '1')).toBe('latido: 1 dropped\n')
  expect(await say(deadletter, 'drop', '--feed', 'lab')).toBe('latido: 0 open letters match\n')
  expect(sources.deadLetters.show(101)).toMatchObject({ state: 'dropped', last: { by: 'night shift' } })
})

it('a list that is empty for a feed without letters says which feeds have some', async () => {
  expect(await say(deadletter, 'list', '--feed', 'lab', '--cause', 'not-hl7')).toBe('no dead letters\n')
  expect(await say(deadletter, 'list', '--feed', 'laab')).toBe('no dead letters: no feed "laab" has any; there are some of lab, monitors\n')
})

it('help tells of all commands or of one, and what no command takes is told in one sentence, a folder in place of a file too', async () => {
  expect(helpText()).toContain('latido replay')
  expect(helpText('deadletter')).toMatch(/^ {2}latido deadletter list .*\n.*\n$/)
  expect(helpText('nope')).toBeUndefined()
  await expect(importCommand.run(['wfdb', tmpdir()])).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'wfdb is read from a file, and the path is a folder' })
  await expect(say(feeds, 'list', '--bogus')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'Unknown option \'--bogus\'' })
})
