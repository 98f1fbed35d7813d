import { expect, it } from 'vitest'
import { backfillCommand } from '../../../../ops/cli/commands/backfill.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const TIMES = ['--from', '2026-03-01T00:00:00Z', '--to', '2026-03-02T00:00:00Z']

it.each([
  ['a view that there is not', ['--view', 'vitls', ...TIMES], 'VIEW_UNKNOWN', 'vitls'],
  ['no view', TIMES, 'CONFIG_INVALID', '--view'],
  ['a time that is none', ['--view', 'vitals', '--from', 'yesterday', '--to', '2026-03-02T00:00:00Z'], 'CONFIG_INVALID', '--from is "yesterday"'],
  ['a time without a zone', ['--view', 'vitals', '--from', '2026-03-01T00:00:00Z', '--to', '2026-03-02T00:00:00'], 'CONFIG_INVALID', 'no time with a zone'],
  ['an end before its beginning', ['--view', 'vitals', '--from', '2026-03-02T00:00:00Z', '--to', '2026-03-01T00:00:00Z'], 'CONFIG_INVALID', '--from is not before --to'],
  ['two kinds of moments', ['--view', 'vitals', ...TIMES, '--every', '1 h', '--at', 'emissions'], 'CONFIG_INVALID', '--every and --at'],
  ['a place that is none', ['--view', 'vitals', ...TIMES, '--into', 'file.csv'], 'CONFIG_INVALID', '--into is "file.csv"'],
  ['a store that is away', ['--view', 'vitals', ...TIMES, '--clickhouse', 'http://127.0.0.1:9'], 'OFFLINE_UNAVAILABLE', 'ClickHouse'],
] as const)('ends with one clear error for %s', async (_what, args, code, says) => {
  const dir = tempDir()
  try {
    await expect(backfillCommand.run([...args, '--data-dir', dir.path])).rejects.toMatchObject({ code, message: expect.stringContaining(says) as unknown })
  } finally {
    dir.remove()
  }
})
