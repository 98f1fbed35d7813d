import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseConfig, type Config } from '../../../../ops/config/index.ts'
import { openProvisioning, type ClusterPlan, type Provisioning } from '../../../../ops/run/index.ts'
import { refuseUnprovisioned } from '../../../../ops/run/log/provision.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { openTopicAdmin, KAFKA_DEFAULTS } from '../../../../streams/log/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { describeWith, freePorts, sharedApicurio, sharedKafka, unsecuredToken, USER, type SharedKafka } from '../../../kit/servers/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'

const describeServers = await describeWith('kafka', 'apicurio')

describeServers('topics and schemas of a real cluster', () => {
  const dir = tempDir()
  let kafka: SharedKafka
  let registry = ''
  beforeAll(async () => { [kafka, { url: registry }] = await Promise.all([sharedKafka(), sharedApicurio()]) })
  afterAll(() => { dir.remove() })

  const prefix = (): string => `ops-${randomUUID().slice(0, 8)}.`
  const secret = (text: string): string => { const file = join(dir.path, randomUUID()); writeFileSync(file, text); return file }
  const config = (topicPrefix: string, flags: readonly string[] = [], brokers = kafka.bootstrap): Config => parseConfig(['--kafka', brokers, '--schema-registry', registry, '--kafka-replication', '1', '--partitions', '2', '--topic-prefix', topicPrefix, ...flags], {})
  const open = async (of: Config): Promise<Provisioning> => await openProvisioning(of, of.kafka!, systemClock)
  const planOf = async (of: Config): Promise<ClusterPlan> => { await using provisioning = await open(of); return await provisioning.plan() }
  const apply = async (of: Config): Promise<void> => { await using provisioning = await open(of); await provisioning.apply(await provisioning.plan()) }
  /** What a start would say. */
  const refusal = async (of: Config): Promise<LatidoError | undefined> => {
    try {
      refuseUnprovisioned(await planOf(of))
      return undefined
    } catch (e) {
      if (e instanceof LatidoError) return e
      throw e
    }
  }
  const createTopic = async (name: string, numPartitions: number, settings: Readonly<Record<string, string>>): Promise<void> => {
    await using admin = await openTopicAdmin({ ...KAFKA_DEFAULTS, brokers: [kafka.bootstrap], clock: systemClock })
    await admin.ask('create', a => a.createTopics({ waitForLeaders: true, topics: [{ topic: name, numPartitions, replicationFactor: 1, configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })) }] }))
  }
  const post = async (subject: string, schema: object): Promise<void> => { await fetch(`${registry}/subjects/${subject}/versions`, { method: 'POST', headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify({ schema: JSON.stringify(schema), schemaType: 'AVRO' }) }) }

  it('nothing starts before they are there; after apply there is nothing left to do', async () => {
    const of = config(prefix())
    expect(await refusal(of)).toMatchObject({ code: 'NOT_PROVISIONED', action: expect.stringContaining('latido topics apply') as string })
    await apply(of)
    expect(await refusal(of)).toBeUndefined()
    const { topics, subjects } = await planOf(of)
    expect([topics.create, topics.alter, topics.mismatch, subjects.filter(s => s.state !== 'registered' || !s.guarded)]).toEqual([[], [], [], []])
  })

  it('other partitions than configured: a patient would change its partition', async () => {
    const name = prefix()
    await apply(config(name))
    const other = parseConfig(['--kafka', kafka.bootstrap, '--schema-registry', registry, '--kafka-replication', '1', '--partitions', '3', '--topic-prefix', name], {})
    expect(await refusal(other)).toMatchObject({ code: 'TOPIC_MISMATCH', message: expect.stringMatching(/partitions 2, and must have 3/) as string })
    await expect(apply(other)).rejects.toMatchObject({ code: 'TOPIC_MISMATCH' })
  })

  it('a topic with its producer\'s time instead of the log\'s', async () => {
    const name = prefix()
    await createTopic(`${name}latido.events`, 2, { 'message.timestamp.type': 'CreateTime' })
    expect(await refusal(config(name))).toMatchObject({ code: 'TOPIC_MISMATCH', message: expect.stringMatching(/latido\.events has message\.timestamp\.type CreateTime, and must have LogAppendTime/) as string })
  })

  it('a retention below what is configured is mended by apply, and named before', async () => {
    const name = prefix()
    await createTopic(`${name}latido.events`, 2, { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '60000' })
    expect(await refusal(config(name))).toMatchObject({ code: 'TOPIC_MISMATCH', action: expect.stringContaining('latido topics apply') as string })
    await apply(config(name))
    expect(await refusal(config(name))).toBeUndefined()
  })

  it('a schema that could not read what is in the log: refused with the reason, and no topic is made', async () => {
    const name = prefix()
    await post(`${name}latido.events-latido.Acknowledgement`, { type: 'record', name: 'Acknowledgement', namespace: 'latido', fields: [{ name: 'somethingElse', type: 'long' }] })
    expect((await planOf(config(name))).subjects.filter(s => s.state === 'incompatible').map(s => s.subject)).toEqual([`${name}latido.events-latido.Acknowledgement`])
    await expect(apply(config(name))).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringContaining('alertId') as string })
    expect((await planOf(config(name))).topics.create.length).toBeGreaterThan(7)
  })

  it.each([
    ['nobody listens', 'BROKER_UNREACHABLE', async () => config('', [], `127.0.0.1:${(await freePorts(1))[0]}`)],
    ['the password is wrong', 'BROKER_AUTHENTICATION_FAILED', () => config('', ['--kafka-sasl', 'scram-sha-512', '--kafka-user', USER.name, '--kafka-password-file', secret('wrong-horse')], kafka.listeners.scram)],
    ['the token has expired', 'CREDENTIALS_EXPIRED', () => config('', ['--kafka-sasl', 'oauthbearer', '--kafka-token-file', secret(unsecuredToken('latido', -60_000))], kafka.listeners.oauthbearer)],
    ['the certificate is not trusted', 'BROKER_AUTHENTICATION_FAILED', () => config('', ['--kafka-tls', 'on'], kafka.listeners.tls)],
    ['the authority\'s file is no certificate', 'FILE_INVALID', () => config('', ['--kafka-tls-ca-file', secret('hello')], kafka.listeners.tls)],
  ] as const)('%s: one error, %s', async (_what, code, of) => {
    const failure = await open(await of()).then(() => undefined, (e: unknown) => e)
    expect(failure).toMatchObject({ code })
    const { message, action } = failure as LatidoError
    expect(`${message} ${action}`).not.toMatch(/wrong-horse|eyJ|\n/)
    expect(action.length).toBeGreaterThan(10)
  })

  it.each([
    ['scram over TLS', () => config('', ['--kafka-tls-ca-file', kafka.caFile, '--kafka-sasl', 'scram-sha-256', '--kafka-user', USER.name, '--kafka-password-file', secret(`${USER.password}\n`)], kafka.listeners['scram-tls'])],
    ['a token', () => config('', ['--kafka-sasl', 'oauthbearer', '--kafka-token-file', secret(unsecuredToken('latido'))], kafka.listeners.oauthbearer)],
    ['plain on this machine', () => config('', ['--kafka-sasl', 'plain', '--kafka-user', USER.name, '--kafka-password-file', secret(USER.password)], kafka.listeners['sasl-plain'])],
  ] as const)('lets us in by %s', async (_what, of) => { await using provisioning = await open(of()); expect(await provisioning.clusterId()).not.toBe('') })
})
