import { readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BatchBuilder, BatchCursor, checkBatch } from '../../../../../streams/codec/index.ts'
import { fetchApi, produceApi } from '../../../../../streams/log/kafka/direct/api/index.ts'
import { findCoordinator } from '../../../../../streams/log/kafka/direct/cluster/api/find-coordinator.ts'
import { openCluster, type Cluster } from '../../../../../streams/log/kafka/direct/cluster/index.ts'
import { codecOf, deflateBatch, inflateBatch } from '../../../../../streams/log/kafka/direct/compression/index.ts'
import type { KafkaSasl, KafkaTls } from '../../../../../streams/log/kafka/options.ts'
import { CODECS, describeWith, requireServer, sharedKafka, startJavaClient, startKafka, unsecuredToken, until, USER, type JavaClient, type KafkaServer, type ListenerName, type SharedKafka } from '../../../../kit/servers/index.ts'
import { tempDir } from '../../../../kit/temp-dir.ts'
import { testOptions } from './support.ts'

const describeKafka = await describeWith('kafka')
const withKcat = await requireServer('kafka', 'kcat')
const PREFIX = 'direct-cluster'

const secret = (kind: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = USER.password): KafkaSasl => ({ kind, username: USER.name, password })
const token = (lifetimeMs?: number): KafkaSasl => ({ kind: 'oauthbearer', token: () => Promise.resolve({ token: unsecuredToken('latido', lifetimeMs), expiresAtMs: Date.now() + 3_600_000 }) })

/** Whole batches of a partition from its beginning, as they came. */
async function fetched (cluster: Cluster, name: string): Promise<readonly Buffer[]> {
  const topic = await cluster.topic(name)
  const partition = { topicId: topic!.id, partition: 0, leaderEpoch: topic!.partitions[0]!.leaderEpoch, offset: 0, lastFetchedEpoch: -1, maxBytes: 1 << 24 }
  const answer = await cluster.call({ kind: 'node', id: topic!.partitions[0]!.leader }, fetchApi, { maxWaitMs: 500, maxBytes: 1 << 24, sessionId: 0, sessionEpoch: -1, partitions: [partition], forgotten: [] })
  const { buffer, start, end, errorCode } = answer.partitions[0]!
  expect(errorCode).toBe(0)
  const batches: Buffer[] = []
  for (let at = start; at < end; at += 12 + buffer.readInt32BE(at + 8)) batches.push(buffer.subarray(at, at + 12 + buffer.readInt32BE(at + 8)))
  return batches
}

function walked (batches: readonly Buffer[]): unknown[] {
  const cursor = new BatchCursor(batches, 0)
  const all: unknown[] = []
  while (cursor.next()) {
    const value = cursor.valueStart < 0 ? null : cursor.valueBuffer.toString('latin1', cursor.valueStart, cursor.valueEnd)
    all.push([cursor.keyStart < 0 ? null : cursor.keyBuffer.toString('latin1', cursor.keyStart, cursor.keyEnd), value, cursor.headers().map(h => [h.key, h.value?.toString('latin1') ?? null])])
  }
  return all
}

interface Plain { readonly key: Buffer | null, readonly value: Buffer | null, readonly headers: readonly { readonly key: string, readonly value: Buffer | null }[] }
/** Some repetitive, one of noise and larger than a block of any codec, one empty, one null. */
function someRecords (): readonly Plain[] {
  const noise = Buffer.alloc(300_000)
  for (let i = 0, x = 1; i < noise.length; i++) { x = Math.imul(x, 1_103_515_245) + 12_345; noise[i] = x >>> 16 & 255 }
  return [
    ...Array.from({ length: 200 }, (_, i): Plain => ({ key: Buffer.from(`bed-${i % 5}`), value: Buffer.from(`heartRate=${60 + i % 40};spo2=97`), headers: i % 3 === 0 ? [{ key: 'source', value: Buffer.from('monitor') }] : [] })),
    { key: null, value: noise, headers: [] }, { key: Buffer.from('k'), value: Buffer.alloc(0), headers: [] }, { key: Buffer.from('gone'), value: null, headers: [] },
  ]
}
const plainly = (records: readonly Plain[]): unknown[] => records.map(r => [r.key?.toString('latin1') ?? null, r.value?.toString('latin1') ?? null, r.headers.map(h => [h.key, h.value?.toString('latin1') ?? null])])

describeKafka('a real broker', () => {
  let kafka: SharedKafka
  let java: JavaClient
  let cluster: Cluster
  beforeAll(async () => {
    kafka = await sharedKafka()
    java = await startJavaClient(kafka.bootstrap)
    cluster = await openCluster(testOptions(kafka.bootstrap.split(',')))
  })
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]()
    await java[Symbol.asyncDispose]()
  })

  it('says what it is, what it speaks, and where topics and coordinators are', async () => {
    expect(cluster.clusterId).toMatch(/^[\w-]{22}$/)
    expect(cluster.features.get('group.version')).toBeGreaterThanOrEqual(1)
    expect(cluster.versionOf(findCoordinator)).toBe(6)
    expect(await cluster.topic(`${PREFIX}-missing`)).toBeUndefined()
    await java.createTopic(`${PREFIX}-three`, 3)
    await until('the topic', 60_000, async () => await cluster.topic(`${PREFIX}-three`) !== undefined)
    const topic = (await cluster.topic(`${PREFIX}-three`))!
    expect([topic.partitions.map(p => [p.partition, p.leader, p.errorCode]), cluster.topicById(topic.id)]).toEqual([[[0, 1, 0], [1, 1, 0], [2, 1, 0]], topic])
    const found = await cluster.call({ kind: 'coordinator', of: 'group', key: `${PREFIX}-group` }, findCoordinator, { of: 'group', key: `${PREFIX}-group` })
    expect([found.errorCode, found.id]).toEqual([0, 1])
  })

  it.each(CODECS)('what the Java client wrote in %s is read', async codec => {
    const topic = `${PREFIX}-java-${codec}`
    await java.createTopic(topic, 1)
    const producer = await java.producer(codec)
    for (const record of someRecords()) await producer.send({ topic, partition: 0 }, record)
    await producer.flush()
    await producer.close()
    const batches = await fetched(cluster, topic)
    for (const batch of batches) checkBatch(batch, 'test')
    expect(new Set(batches.map(b => codecOf(b, 0)))).toEqual(new Set([codec]))
    expect(walked(batches.map(b => inflateBatch(b, 0, b.length)))).toEqual(plainly(someRecords()))
  })

  it.each(['none', 'lz4', 'zstd'] as const)('what is written in %s the Java client reads', async codec => {
    const topic = `${PREFIX}-ours-${codec}`
    await java.createTopic(topic, 1, { 'retention.ms': '-1' }) // the records' times are of the past
    const builder = new BatchBuilder()
    for (const { key, value, headers } of someRecords()) builder.append(1_700_000_000_000, key, value, headers)
    const batch = deflateBatch(builder.finish(0, -1), codec)
    expect(codecOf(batch, 0)).toBe(codec)
    await until('the topic', 60_000, async () => await cluster.topic(topic) !== undefined)
    const answer = await cluster.call({ kind: 'node', id: 1 }, produceApi, { transactionalId: null, timeoutMs: 10_000, batches: [{ topic, partition: 0, batch }] })
    expect(answer.partitions.map(p => [p.errorCode, p.baseOffset])).toEqual([[0, 0]])
    expect(plainly(await java.read({ topic, partition: 0 }))).toEqual(plainly(someRecords()))
    if (withKcat) {
      const printed = spawnSync('kcat', ['-C', '-b', kafka.bootstrap, '-t', topic, '-e', '-q', '-f', '%k|%S\n'], { encoding: 'utf8', timeout: 120_000 }).stdout
      expect(printed.trimEnd().split('\n')).toEqual(someRecords().map(r => `${r.key?.toString() ?? ''}|${r.value?.length ?? -1}`))
    }
  })

  it.runIf(withKcat).each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('what kcat wrote in %s is read', async codec => {
    const topic = `${PREFIX}-kcat-${codec}`
    await java.createTopic(topic, 1)
    const lines = Array.from({ length: 2_000 }, (_, i) => `heartRate=${60 + i % 40};spo2=97;bed=${i % 7}`)
    expect(spawnSync('kcat', ['-P', '-b', kafka.bootstrap, '-t', topic, '-z', codec], { input: lines.join('\n'), timeout: 120_000 }).status).toBe(0)
    await until('the topic', 60_000, async () => await cluster.topic(topic) !== undefined)
    const batches = await fetched(cluster, topic)
    expect(batches.map(b => codecOf(b, 0))).toContain(codec)
    expect(walked(batches.map(b => inflateBatch(b, 0, b.length)))).toEqual(lines.map(line => [null, line, []]))
  })

  const reach = async (listener: ListenerName, { tls, sasl }: { readonly tls?: KafkaTls, readonly sasl?: KafkaSasl }): Promise<string> => {
    await using through = await openCluster(testOptions(kafka.listeners[listener].split(','), { ...(tls === undefined ? {} : { tls }), ...(sasl === undefined ? {} : { sasl }), limits: { connectTimeoutMs: 30_000 } }))
    await through.call({ kind: 'coordinator', of: 'group', key: 'g' }, findCoordinator, { of: 'group', key: 'g' })
    return through.clusterId
  }
  const ca = (): KafkaTls => ({ ca: readFileSync(kafka.caFile) })

  it.each<[ListenerName, KafkaSasl | undefined, boolean]>([
    ['tls', undefined, true],
    ['sasl-plain', secret('plain'), false],
    ['scram', secret('scram-sha-256'), false],
    ['scram', secret('scram-sha-512'), false],
    ['scram-tls', secret('scram-sha-512'), true],
    ['oauthbearer', token(), false],
  ])('lets us in at %s', async (listener, sasl, tls) => {
    expect(await reach(listener, { ...(sasl === undefined ? {} : { sasl }), ...(tls ? { tls: ca() } : {}) })).toBe(cluster.clusterId)
  })

  it.each<[string, ListenerName, { readonly sasl?: KafkaSasl, readonly tls?: () => KafkaTls }, string]>([
    ['a wrong password', 'sasl-plain', { sasl: secret('plain', 'wrong') }, 'BROKER_AUTHENTICATION_FAILED'],
    ['a wrong password by SCRAM', 'scram', { sasl: secret('scram-sha-256', 'wrong') }, 'BROKER_AUTHENTICATION_FAILED'],
    ['a mechanism that the listener does not offer', 'scram', { sasl: secret('plain') }, 'BROKER_AUTHENTICATION_FAILED'],
    ['a login where none is wanted', 'plaintext', { sasl: secret('plain') }, 'BROKER_AUTHENTICATION_FAILED'],
    ['an expired token', 'oauthbearer', { sasl: token(-60_000) }, 'BROKER_AUTHENTICATION_FAILED'],
    ['a certificate of an unknown authority', 'tls', { tls: () => ({}) }, 'BROKER_AUTHENTICATION_FAILED'],
    ['another name than the certificate has', 'tls', { tls: () => ({ ...ca(), servername: 'elsewhere.example' }) }, 'BROKER_AUTHENTICATION_FAILED'],
    ['TLS where there is none', 'plaintext', { tls: ca }, 'BROKER_UNREACHABLE'],
    ['no TLS where it is wanted', 'tls', {}, 'BROKER_UNREACHABLE'],
    ['no login where it is wanted', 'scram', {}, 'BROKER_UNREACHABLE'],
  ])('one clear error for %s', async (_, listener, { sasl, tls }, code) => {
    const error: unknown = await reach(listener, { ...(sasl === undefined ? {} : { sasl }), ...(tls === undefined ? {} : { tls: tls() }) }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code })
    expect(String(error)).not.toContain('wrong')
  })
})

describeKafka('a broker whose sessions end, and that wants certificates', () => {
  const directory = tempDir()
  const file = (name: string): string => join(directory.path, name)
  // a certificate of the client's own, that the broker trusts and no other
  const withOpenssl = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=latido', '-keyout', file('key.pem'), '-out', file('cert.pem')]).status === 0
  let kafka: KafkaServer
  beforeAll(async () => {
    const trust = withOpenssl ? { 'listener.name.tls.ssl.client.auth': 'required', 'listener.name.tls.ssl.truststore.type': 'PEM', 'listener.name.tls.ssl.truststore.location': file('cert.pem') } : {}
    kafka = await startKafka({ listeners: ['scram', 'tls'], config: { 'connections.max.reauth.ms': '1500', ...trust } })
  })
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]()
    directory.remove()
  })

  it('is authenticated to again on the same connection, before the session ends', async () => {
    await using cluster = await openCluster(testOptions(kafka.bootstrapOf('scram').split(','), { sasl: secret('scram-sha-256') }))
    // A connection that is not authenticated again is closed by the broker, and a call fails. So does one where the machine paused when a session was about to end: then it is seen through three others.
    let from = performance.now()
    await until('three sessions in a row', 120_000, async () => {
      await cluster.call({ kind: 'node', id: 1 }, findCoordinator, { of: 'group', key: 'g' }).catch(() => { from = performance.now() })
      return performance.now() - from > 4_500
    })
  })

  it.runIf(withOpenssl)('lets us in with our certificate, and says what is wrong without', async () => {
    const reach = async (own: KafkaTls): Promise<string> => {
      await using cluster = await openCluster(testOptions(kafka.bootstrapOf('tls').split(','), { tls: { ca: readFileSync(kafka.caFile!), ...own } }))
      return cluster.clusterId
    }
    expect(await reach({ cert: readFileSync(file('cert.pem')), key: readFileSync(file('key.pem')) })).toMatch(/^[\w-]{22}$/)
    await expect(reach({})).rejects.toMatchObject({ code: 'BROKER_AUTHENTICATION_FAILED' })
  })
})
