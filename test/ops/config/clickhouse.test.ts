import { describe, expect, it } from 'vitest'
import { parseConfig, redacted } from '../../../ops/config/index.ts'

const parse = (...args: readonly string[]): ReturnType<typeof parseConfig> => parseConfig(args, {})
const codeOf = (...args: readonly string[]): unknown => { try { parse(...args); return 'taken' } catch (e) { return (e as { code?: unknown }).code } }

describe('the options of a ClickHouse server', () => {
  it('are none by default: the embedded engine, and everything for ever', () => {
    expect(parse()).toMatchObject({ clickhouse: undefined, tiers: {} })
  })

  it('say where it is, who asks, and how long what is kept', () => {
    expect(parse('--clickhouse', 'https://ch.example:8443', '--clickhouse-user', 'u', '--clickhouse-password-file', 'p', '--clickhouse-ca-file', 'ca.pem', '--device-retention', '90 d', '--cold-after', '30 d', '--cold-volume', 'cold')).toMatchObject({
      clickhouse: { url: 'https://ch.example:8443', user: 'u', passwordFile: 'p', database: 'latido', caFile: 'ca.pem' }, tiers: { deviceMs: 90 * 86_400_000, cold: { afterMs: 30 * 86_400_000, volume: 'cold' } },
    })
  })

  it('send nothing in the clear to another machine unless somebody says so', () => {
    expect(codeOf('--clickhouse', 'http://ch.example:8123')).toBe('UNSAFE_CREDENTIALS')
    expect(codeOf('--clickhouse', 'http://ch.example:8123', '--clickhouse-plain', 'yes')).toBe('taken')
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) expect(codeOf('--clickhouse', `http://${host}:8123`)).toBe('taken')
  })

  it('are refused where they do not fit', () => {
    for (const args of [
      ['--clickhouse', 'ch.example'], ['--clickhouse', 'ftp://ch.example'], ['--clickhouse', 'https://u:p@ch.example'], ['--clickhouse-password-file', 'p'], ['--clickhouse', 'http://127.0.0.1', '--clickhouse-ca-file', 'ca.pem'],
      ['--clickhouse', 'http://127.0.0.1', '--clickhouse-database', 'a; DROP'], ['--device-retention', 'soon'], ['--device-retention', '5 m'], ['--cold-after', '30 d'], ['--cold-volume', 'x'], ['--cold-after', '30 d', '--cold-volume', "x' DELETE"],
    ]) expect(codeOf(...args), args.join(' ')).toBe('CONFIG_INVALID')
  })

  it('show no file of a secret in the log', () => {
    expect(JSON.stringify(redacted(parse('--clickhouse', 'https://ch.example', '--clickhouse-password-file', 'secret-place')))).not.toContain('secret-place')
  })
})
