import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRedisOnlineStore, REDIS_DEFAULTS, type OnlineStore, type RedisOnlineOptions } from '../../../features/online/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { ROOT } from '../../house/source-files.ts'
import { describeWith, startRedis, startRedisCluster, type RedisServer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { row } from './contract.ts'

const open = (redis: RedisServer, more: Partial<RedisOnlineOptions> = {}): Promise<OnlineStore> => openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redis.port }], clock: systemClock, ...more })
/** As docs/redis.md gives it, with a password. */
const aclOf = (password: string): readonly string[] => /^ {2}user (latido on .*)$/m.exec(readFileSync(join(ROOT, 'docs/redis.md'), 'utf8'))![1]!.replace('PASSWORD', password).split(' ')

async function useAll (store: OnlineStore): Promise<void> {
  await store.put([row('t', 'a', 1), row('u', 'a', 2), row('t', 'b', 3)])
  await store.put([row('t', 'a', 4), row('u', 'a', 5, null)])
  expect((await store.get(['t', 'u'], ['a', 'b'])).map(rows => rows.map(r => r?.version))).toEqual([[4, undefined], [3, undefined]])
  expect((await store.scan('t')).map(r => r.entity).toSorted()).toEqual(['a', 'b'])
  await store.erase('b')
  expect((await store.scan('t')).map(r => r.entity)).toEqual(['a'])
}

const describeRedis = await describeWith('redis')
describeRedis('users of Redis', () => {
  const SECRET = 'a-secret-of-the-ward'
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis({ args: ['--user', 'admin', 'on', '>admin', '~*', '+@all'], cliArgs: ['--user', 'admin', '--pass', 'admin', '--no-auth-warning'] })
    redis.cli('acl', 'setuser', ...aclOf(SECRET))
    redis.cli('acl', 'setuser', 'reader', 'on', '>reads', '~latido:*', '-@all', '+hello', '+mget', '+smembers', '+info')
    redis.cli('acl', 'setuser', 'default', 'off')
  })
  afterAll(async () => { await redis[Symbol.asyncDispose]() })

  it('needs no more than the rights that the documentation lists, with an owner and an expiry too', async () => {
    await using store = await open(redis, { username: 'latido', password: () => SECRET, owner: 'a log', expireAfterMs: 3_600_000 })
    await useAll(store)
  })

  it('says what is wrong, and no password', async () => {
    const failures = await Promise.all([
      open(redis), open(redis, { username: 'latido', password: () => `${SECRET}x` }), open(redis, { username: 'nobody', password: () => SECRET }),
      open(redis, { username: 'latido', password: () => SECRET, prefix: 'other:' }).then(async store => { try { await store.put([row('t', 'a', 1)]) } finally { await store[Symbol.asyncDispose]() } }),
      open(redis, { username: 'reader', password: () => 'reads' }).then(async store => { try { await store.put([row('t', 'a', 1)]) } finally { await store[Symbol.asyncDispose]() } }),
    ].map(opened => (opened as Promise<unknown>).then(() => 'was let in', (e: unknown) => e)))
    expect(failures.map(e => (e as { code?: string }).code)).toEqual(Array.from({ length: 5 }, () => 'ONLINE_DENIED'))
    expect(failures.map(e => (e as Error).message.split('Latido: ')[1])).toEqual(['it wants a password', 'wrong user or password', 'wrong user or password', 'its user may not use these keys', "its user may not run the 'evalsha' command"])
    expect(failures.map(e => `${(e as Error).message} ${(e as { action: string }).action}`).join()).not.toContain(SECRET)
  })

  it('takes up a new password at the next connection', async () => {
    let password = SECRET
    await using store = await open(redis, { username: 'latido', password: () => password, reconnectPauseMs: 10 })
    await store.put([row('t', 'new', 1)])
    redis.cli('acl', 'setuser', 'latido', 'resetpass', '>renewed')
    redis.cli('client', 'kill', 'user', 'latido')
    password = 'renewed'
    await expect.poll(() => store.put([row('t', 'new', 2)]).then(() => 'taken', () => 'not taken')).toBe('taken')
  })
})

const describeTls = await describeWith('redis', 'redisCluster')
describeTls('Redis over TLS', () => {
  const directory = tempDir()
  const file = (name: string): string => join(directory.path, name)
  const openssl = (...args: readonly string[]): void => { execFileSync('openssl', args, { cwd: directory.path, stdio: 'ignore' }) }
  const server = (): readonly string[] => ['--port', '0', '--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key'), '--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'yes']
  const pem = (name: string): Buffer => readFileSync(file(name))

  beforeAll(() => {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=ward authority', '-keyout', 'ca.key', '-out', 'ca.crt')
    writeFileSync(file('san'), 'subjectAltName=IP:127.0.0.1')
    for (const name of ['server', 'client']) {
      openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
      openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san', '-out', `${name}.crt`)
    }
  })
  afterAll(() => { directory.remove() })

  it('trusts an authority of one\'s own, shows a certificate, and refuses who has none', async () => {
    await using redis = await startRedis({ tls: server() })
    const tls = { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') }
    await useAll(await open(redis, { tls }))
    for (const wrong of [{ ca: tls.ca }, { cert: tls.cert, key: tls.key }, {}]) await expect(open(redis, { tls: wrong })).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
    await expect(open(redis)).rejects.toMatchObject({ code: 'ONLINE_UNAVAILABLE' })
  })

  it('reaches every node of a cluster in the same way', async () => {
    await using cluster = await startRedisCluster({ tls: server(), cliArgs: ['--tls', '--cacert', file('ca.crt'), '--cert', file('client.crt'), '--key', file('client.key')] })
    await using store = await open(cluster.nodes[0]!, { tls: { ca: pem('ca.crt'), cert: pem('client.crt'), key: pem('client.key') } })
    await useAll(store)
    await store.put(Array.from({ length: 300 }, (_, i) => row('many', `e${i}`, 1)))
    expect((await store.scan('many')).length).toBe(300)
  })
})
