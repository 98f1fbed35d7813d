import { describe, expect, it } from 'vitest'
import { parseConfig, redacted } from '../../../ops/config/index.ts'
import { isLatidoError, type LatidoError } from '../../../streams/errors/index.ts'

const parse = (...args: readonly string[]): ReturnType<typeof parseConfig>['redis'] => parseConfig(args, {}).redis
function refusal (args: readonly string[]): LatidoError {
  try {
    parseConfig(args, {})
  } catch (e) {
    if (isLatidoError(e)) return e
    throw e
  }
  throw new Error('was taken')
}

it('without an address the online store is embedded', () => { expect(parse()).toBeUndefined() })

it('has safe defaults with an address', () => {
  expect(parse('--redis', 'redis://127.0.0.1')).toEqual({ nodes: [{ host: '127.0.0.1', port: 6_379 }], tls: false, caFile: '', certFile: '', keyFile: '', user: '', passwordFile: '', prefix: 'latido:', expireAfterMs: 0 })
})

it('takes nodes of a cluster, TLS, a prefix and an expiry', () => {
  expect(parse('--redis', 'rediss://a.ward:7000, rediss://[2001:db8::1]:7001', '--redis-prefix', 'icu:', '--redis-expire', '90 d')).toMatchObject({ nodes: [{ host: 'a.ward', port: 7_000 }, { host: '2001:db8::1', port: 7_001 }], tls: true, prefix: 'icu:', expireAfterMs: 90 * 86_400_000 })
})

it('lets features leave the machine in the clear only where that was said, and a password never', () => {
  const away = ['--redis', 'redis://redis.ward:6379'] as const
  expect(refusal(away).code).toBe('UNSAFE_EXPOSURE')
  expect(parse(...away, '--redis-plain', 'yes')?.tls).toBe(false)
  expect(refusal([...away, '--redis-plain', 'yes', '--redis-password-file', 'p']).code).toBe('UNSAFE_CREDENTIALS')
  expect(parse('--redis', 'redis://localhost', '--redis-user', 'u', '--redis-password-file', 'p')?.user).toBe('u')
})

it('shows no path of a secret in the log', () => {
  const shown = JSON.stringify(redacted(parseConfig(['--redis', 'rediss://a', '--redis-user', 'u', '--redis-password-file', 'secret-path', '--redis-cert-file', 'secret-path', '--redis-key-file', 'secret-path', '--redis-ca-file', 'secret-path'], {})))
  expect(shown).not.toContain('secret-path')
})

describe('refuses, in one line that names the option', () => {
  it.each([
    [['--redis', 'http://a'], '--redis'], [['--redis', 'a:6379'], '--redis'], [['--redis', 'redis://u:p@a'], '--redis-password-file'], [['--redis', 'redis://a/3'], 'database 0'],
    [['--redis', 'rediss://a,redis://b'], '--redis'], [['--redis-user', 'u'], '--redis'], [['--redis', 'redis://127.0.0.1', '--redis-ca-file', 'f'], 'rediss://'],
    [['--redis', 'rediss://a', '--redis-cert-file', 'c'], '--redis-key-file'], [['--redis', 'rediss://a', '--redis-user', 'u'], '--redis-password-file'],
    [['--redis', 'redis://127.0.0.1', '--redis-prefix', 'a{b}'], '--redis-prefix'], [['--redis', 'redis://127.0.0.1', '--redis-expire', '1 s'], '--redis-expire'], [['--redis', 'redis://127.0.0.1', '--redis-expire', 'soon'], '--redis-expire'],
  ])('%j', (args, named) => {
    const error = refusal(args)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(`${error.message} ${error.action}`).toContain(named)
    expect(`${error.message}${error.action}`).not.toContain('u:p@')
  })
})
