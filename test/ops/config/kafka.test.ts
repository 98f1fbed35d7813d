import { describe, expect, it } from 'vitest'
import { parseConfig, redacted, type Config } from '../../../ops/config/index.ts'
import { isLatidoError, type LatidoError } from '../../../streams/errors/index.ts'

const REGISTRY = ['--schema-registry', 'http://127.0.0.1:8081'] as const
const parse = (...args: readonly string[]): Config => parseConfig(['--kafka', 'localhost:9092', ...REGISTRY, ...args], {})
function refusal (args: readonly string[]): LatidoError {
  try {
    parseConfig(args, {})
  } catch (e) {
    if (isLatidoError(e)) return e
    throw e
  }
  throw new Error('was taken')
}

it('without brokers the log is embedded', () => { expect(parseConfig([], {}).kafka).toBeUndefined() })

it('has safe defaults with brokers', () => {
  expect(parse().kafka).toEqual({
    brokers: ['localhost:9092'], driver: 'auto', tls: false, caFile: '', certFile: '', keyFile: '', sasl: 'none', user: '', passwordFile: '', tokenFile: '', replication: 3, compression: 'lz4', topicPrefix: '',
    registry: { url: 'http://127.0.0.1:8081', user: '', passwordFile: '', tokenFile: '', caFile: '' },
  })
})

it('simulates nothing in a cluster unless told so', () => {
  expect([parse().simulate, parse('--simulate', 'ward').simulate, parseConfig(['--kafka', 'a:1', ...REGISTRY], { LATIDO_SIMULATE: 'ward' }).simulate, parseConfig([], {}).simulate]).toEqual(['off', 'ward', 'ward', 'ward'])
})

it.each([
  ['a:1,b:2', ['a:1', 'b:2']], [' a , b:2,', ['a:9092', 'b:2']], ['[::1]:9093', ['[::1]:9093']], ['kafka-1.ward.example:9094', ['kafka-1.ward.example:9094']],
])('brokers "%s"', (text, list) => { expect(parseConfig(['--kafka', text, ...REGISTRY], {}).kafka?.brokers).toEqual(list) })

describe('refuses, in one line that names the option', () => {
  it.each([
    [['--kafka', 'http://a:1', ...REGISTRY], '--kafka'],
    [['--kafka', 'a:99999', ...REGISTRY], '--kafka'],
    [['--kafka', 'a:1'], '--schema-registry'],
    [[...REGISTRY], '--kafka'],
    [['--kafka', 'a:1', '--schema-registry', 'ftp://a'], '--schema-registry'],
    [['--kafka', 'a:1', '--schema-registry', 'http://user:word@a'], '--schema-registry'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-driver', 'java'], '--kafka-driver'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-sasl', 'gssapi'], '--kafka-sasl'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-sasl', 'plain', '--kafka-user', 'u'], '--kafka-password-file'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-user', 'u', '--kafka-password-file', 'f'], '--kafka-sasl'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-sasl', 'oauthbearer'], '--kafka-token-file'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-tls-cert-file', 'c'], '--kafka-tls-key-file'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-replication', '0'], '--kafka-replication'],
    [['--kafka', 'a:1', ...REGISTRY, '--kafka-compression', 'gzip'], '--kafka-compression'],
    [['--kafka', 'a:1', ...REGISTRY, '--topic-prefix', 'ward 7.'], '--topic-prefix'],
    [['--kafka', 'a:1', ...REGISTRY, '--schema-registry-user', 'u'], '--schema-registry-password-file'],
    [['--kafka', 'a:1', ...REGISTRY, '--schema-registry-user', 'u', '--schema-registry-password-file', 'p', '--schema-registry-token-file', 't'], '--schema-registry-token-file'],
    [['--connectors', 'off'], '--kafka'],
  ])('%j', (args, named) => {
    const error = refusal(args)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(named)
    expect(`${error.message}${error.action}`).not.toContain('\n')
  })
})

describe('credentials stay on this machine or go encrypted', () => {
  const password = ['--kafka-sasl', 'scram-sha-512', '--kafka-user', 'u', '--kafka-password-file', 'f'] as const
  const user = ['--schema-registry-user', 'u', '--schema-registry-password-file', 'f'] as const
  it.each([
    ['a broker elsewhere without TLS', ['--kafka', '127.0.0.1:1,kafka.example:9092', ...REGISTRY, ...password], 'kafka.example:9092'],
    ['a token for it', ['--kafka', 'kafka.example:9092', ...REGISTRY, '--kafka-sasl', 'oauthbearer', '--kafka-token-file', 't'], 'kafka.example:9092'],
    ['a host that only looks like this machine', ['--kafka', '127.0.0.1.example:9092', ...REGISTRY, ...password], '127.0.0.1.example'],
    ['a registry elsewhere over http', ['--kafka', 'localhost:9092', '--schema-registry', 'http://registry.example:8081', ...user], 'registry.example:8081'],
    ['a token for it', ['--kafka', 'localhost:9092', '--schema-registry', 'http://registry.example', '--schema-registry-token-file', 't'], 'registry.example'],
  ])('%s is refused', (_name, args, named) => { expect(refusal(args)).toMatchObject({ code: 'UNSAFE_CREDENTIALS', message: expect.stringContaining(named) as string }) })

  it.each([
    [['--kafka', 'localhost:9092,[::1]:1,127.0.0.7:2', ...REGISTRY, ...password]],
    [['--kafka', 'kafka.example:9093', '--kafka-tls', 'on', ...REGISTRY, ...password]],
    [['--kafka', 'kafka.example:9093', '--kafka-tls-ca-file', 'ca.pem', ...REGISTRY, ...password]],
    [['--kafka', 'localhost:9092', '--schema-registry', 'https://registry.example', ...user]],
  ])('%j is taken', args => { expect(parseConfig(args, {}).kafka).toBeDefined() })
})

it('shows no path of a secret in the log of the configuration', () => {
  const config = parse('--kafka-tls-key-file', '/secret/1', '--kafka-tls-cert-file', '/secret/2', '--kafka-sasl', 'plain', '--kafka-user', 'u', '--kafka-password-file', '/secret/3', '--schema-registry-user', 'u', '--schema-registry-password-file', '/secret/4')
  expect(JSON.stringify(redacted(config))).not.toContain('/secret')
  expect(redacted(config)['kafka']).toMatchObject({ brokers: ['localhost:9092'], passwordFile: 'set', registry: { passwordFile: 'set', tokenFile: 'none' } })
})
