import { expect, it } from 'vitest'
import { findCoordinator } from '../../../../../../streams/log/kafka/direct/cluster/api/find-coordinator.ts'
import { openCluster, type Cluster } from '../../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { Api } from '../../../../../../streams/log/kafka/direct/wire/index.ts'
import { ManualClock } from '../../../../../../streams/time/index.ts'
import { freePorts } from '../../../../../kit/servers/index.ts'
import { coordinatorReply, KEY, metadataReply, startFakeBroker, topicsAsked, VERSIONS, versionsReply, type FakeBroker, type FakeRequest, type FakeTopic, type Script } from '../fake-broker.ts'
import { eventually, testOptions } from '../support.ts'

/** A call of the tests' own: answered with the id of the broker that has it. */
const WHO = 901
const who: Api<null, number> = { name: 'Who', key: WHO, minVersion: 0, maxVersion: 0, flexibleFrom: 99, encode: () => {}, decode: reader => reader.int32() }
const WITH_WHO = [...VERSIONS, [WHO, 0, 0]] as const

/** Where nobody listens. */
async function deadAddress (): Promise<string> { return `127.0.0.1:${(await freePorts(1))[0]}` }

/** Brokers 1, 2, ... that know each other. `topics` and `script` are asked at each request. */
async function withBrokers (count: number, { topics = [], script = {} }: { readonly topics?: readonly FakeTopic[] | (() => readonly FakeTopic[]), readonly script?: Script | ((id: number) => Script) }, run: (brokers: FakeBroker[]) => Promise<void>): Promise<void> {
  const brokers: FakeBroker[] = []
  const nodes = (): { id: number, port: number }[] => brokers.map((b, i) => ({ id: i + 1, port: b.port }))
  const known = (request: FakeRequest): readonly FakeTopic[] => {
    const all = typeof topics === 'function' ? topics() : topics
    return topicsAsked(request).map(name => all.find(t => t.name === name) ?? { name, errorCode: 3 })
  }
  for (let id = 1; id <= count; id++) {
    brokers.push(await startFakeBroker({
      [KEY.apiVersions]: request => versionsReply(request, WITH_WHO),
      [KEY.metadata]: request => metadataReply(request, nodes(), known(request)),
      [WHO]: () => writer => writer.int32(id),
      ...(typeof script === 'function' ? script(id) : script),
    }, { nodeId: id }))
  }
  try { await run(brokers) } finally { for (const broker of brokers) await broker[Symbol.asyncDispose]() }
}

const askWho = (cluster: Cluster, id: number): Promise<number> => cluster.call({ kind: 'node', id }, who, null)
const countOf = (broker: FakeBroker, key: number): number => broker.requests.filter(r => r.key === key).length

it('starts from the first address that answers, and learns the rest', async () => {
  await withBrokers(2, {}, async brokers => {
    await using cluster = await openCluster(testOptions([await deadAddress(), brokers[0]!.address]))
    expect([cluster.clusterId, Object.fromEntries(cluster.features)]).toEqual(['fake-cluster', { 'group.version': 2, 'transaction.version': 2 }])
    expect(await Promise.all([askWho(cluster, 1), askWho(cluster, 2)])).toEqual([1, 2])
  })
})

it('says where it looked when no broker answers', async () => {
  const [one, two] = [await deadAddress(), await deadAddress()]
  await expect(openCluster(testOptions([one, two]))).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', message: `no broker can be reached at ${one}, ${two}` })
})

it.each(['kafka', 'kafka:', 'kafka:0', 'kafka:70000', ':9092', 'http://kafka:9092'])('refuses the address "%s"', async address => {
  await expect(openCluster(testOptions([address]))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

it('asks again in the version that an older broker knows', async () => {
  const seen: number[] = []
  await withBrokers(1, { script: { [KEY.apiVersions]: request => { seen.push(request.version); return request.version > 2 ? versionsReply(request, [[18, 0, 2]], 35) : versionsReply(request, WITH_WHO) } } }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    expect([seen, cluster.features.size, await askWho(cluster, 1)]).toEqual([[4, 2, 4, 2], 0, 1])
  })
})

it('refuses a broker that is too old for metadata with topic ids', async () => {
  await withBrokers(1, { script: { [KEY.apiVersions]: request => versionsReply(request, [[3, 0, 9], [18, 0, 3]]) } }, async ([broker]) => {
    await expect(openCluster(testOptions([broker!.address]))).rejects.toMatchObject({ code: 'BROKER_TOO_OLD', message: expect.stringContaining('speaks Metadata in versions 0 to 9') as string })
  })
})

it('knows the version of a call that all brokers share', async () => {
  const max = (id: number): number => id === 1 ? 5 : 4
  await withBrokers(2, { script: id => ({ [KEY.apiVersions]: request => versionsReply(request, [...WITH_WHO.filter(([key]) => key !== KEY.findCoordinator), [KEY.findCoordinator, 0, max(id)]]) }) }, async brokers => {
    await using cluster = await openCluster(testOptions([brokers[0]!.address]))
    expect(cluster.versionOf(findCoordinator)).toBe(5)
    await askWho(cluster, 2)
    expect(cluster.versionOf(findCoordinator)).toBe(4)
    expect(cluster.versionOf({ ...who, key: 999 })).toBeUndefined()
  })
})

it('keeps a topic from its first answer on, by name and id; what does not exist is undefined', async () => {
  const id = 'ab'.repeat(16)
  await withBrokers(1, { topics: [{ name: 'vitals', id, partitions: [{ leader: 1, epoch: 3 }] }] }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    expect(cluster.cachedTopic('vitals')).toBeUndefined()
    const [topic, same] = await Promise.all([cluster.topic('vitals'), cluster.topic('vitals')])
    expect(topic).toEqual({ name: 'vitals', id, partitions: [{ partition: 0, leader: 1, leaderEpoch: 3, errorCode: 0 }] })
    expect([same, cluster.cachedTopic('vitals'), cluster.topicById(id), await cluster.topic('vitals')]).toEqual([topic, topic, topic, topic])
    expect(countOf(broker!, KEY.metadata)).toBe(2) // with the one at the start
    expect(await cluster.topic('other')).toBeUndefined()
  })
})

it('refuses a topic that may not be seen, and waits for one that has no leader yet', async () => {
  let asked = 0
  await withBrokers(1, { topics: () => [{ name: 'secret', errorCode: 29 }, asked++ < 3 ? { name: 'young', errorCode: 5 } : { name: 'young', partitions: [{ leader: 1, epoch: 0 }] }] }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    await expect(cluster.topic('secret')).rejects.toMatchObject({ name: 'KafkaError', code: 29, call: 'Metadata' })
    expect((await cluster.topic('young'))?.partitions).toHaveLength(1)
  })
})

it('asks for all its topics again when they have aged', async () => {
  const clock = new ManualClock(0)
  let epoch = 1
  await withBrokers(1, { topics: () => [{ name: 't', id: 'cd'.repeat(16), partitions: [{ leader: 1, epoch }] }] }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address], { clock, limits: { metadataMaxAgeMs: 60_000 } }))
    await cluster.topic('t')
    epoch = 2
    clock.advance(60_000)
    await eventually(() => { expect(cluster.cachedTopic('t')?.partitions[0]?.leaderEpoch).toBe(2) })
  })
})

it('connects again after a connection was lost', async () => {
  await withBrokers(1, {}, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    expect(await askWho(cluster, 1)).toBe(1)
    broker!.dropAll()
    await eventually(async () => { expect(await askWho(cluster, 1)).toBe(1) })
    expect(broker!.connections).toBe(3) // the first to learn of the others, then two
  })
})

it('uses one connection for a lane, and another for another', async () => {
  await withBrokers(1, {}, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    await Promise.all(['a', 'b', 'a', 'b'].map(lane => cluster.call({ kind: 'node', id: 1 }, who, null, { lane })))
    expect(broker!.connections).toBe(3)
  })
})

it('goes to another broker with what any may answer, while one cannot be reached', async () => {
  await withBrokers(3, {}, async brokers => {
    await using cluster = await openCluster(testOptions(brokers.map(b => b.address)))
    await brokers[0]!.dropAll()
    await brokers.shift()![Symbol.asyncDispose]()
    for (let i = 0; i < 4; i++) expect(await cluster.call({ kind: 'any' }, who, null)).toBeGreaterThan(1)
  })
})

it('finds a broker at its new address, and leaves the old', async () => {
  await withBrokers(2, {}, async brokers => {
    await using cluster = await openCluster(testOptions([brokers[0]!.address]))
    await askWho(cluster, 2)
    const moved = await startFakeBroker({ [KEY.apiVersions]: request => versionsReply(request, WITH_WHO), [WHO]: () => writer => writer.int32(22) })
    await using old = brokers[1]!
    brokers[1] = moved
    await cluster.refresh([])
    expect(await askWho(cluster, 2)).toBe(22)
    await eventually(() => { expect(old.open).toBe(0) })
  })
})

it('gives up, unsent, what waits for a broker that has left the cluster', async () => {
  let listed = 2
  const script = (id: number): Script => ({
    ...(id === 2 ? { [KEY.apiVersions]: () => 'silence' as const } : {}),
    [KEY.metadata]: request => metadataReply(request, brokersNow.slice(0, listed).map((b, i) => ({ id: i + 1, port: b.port }))),
  })
  let brokersNow: readonly FakeBroker[] = []
  await withBrokers(2, { script }, async brokers => {
    brokersNow = brokers
    await using cluster = await openCluster(testOptions([brokers[0]!.address]))
    const waiting = expect(askWho(cluster, 2)).rejects.toMatchObject({ name: 'ConnectionLost', unsent: true })
    await eventually(() => { expect(countOf(brokers[1]!, KEY.apiVersions)).toBe(1) })
    listed = 1
    await cluster.refresh([])
    await waiting
    await expect(askWho(cluster, 2)).rejects.toMatchObject({ name: 'ConnectionLost', unsent: true, message: expect.stringContaining('no broker 2 now') as string })
  })
})

it('looks a coordinator up once, waits while it loads, and again when it was forgotten', async () => {
  const answers = [14, 15, 0]
  await withBrokers(2, { script: () => ({ [KEY.findCoordinator]: () => coordinatorReply(answers.shift() ?? 0, { id: 2, port: ports[1]! }) }) }, async brokers => {
    ports.push(...brokers.map(b => b.port))
    await using cluster = await openCluster(testOptions([brokers[0]!.address]))
    const to = { kind: 'coordinator', of: 'group', key: 'g' } as const
    expect(await Promise.all([cluster.call(to, who, null), cluster.call(to, who, null)])).toEqual([2, 2])
    const lookups = (): number => brokers.reduce((n, b) => n + countOf(b, KEY.findCoordinator), 0)
    expect(lookups()).toBe(3)
    cluster.forgetCoordinator('group', 'g')
    expect(await cluster.call(to, who, null)).toBe(2)
    expect(lookups()).toBe(4)
  })
})
const ports: number[] = []

it('looks a coordinator up again after its connection was lost', async () => {
  let failing = true
  await withBrokers(1, { script: { [WHO]: () => failing ? 'close' : writer => writer.int32(1) } }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    const to = { kind: 'coordinator', of: 'transaction', key: 't' } as const
    await expect(cluster.call(to, who, null)).rejects.toMatchObject({ name: 'ConnectionLost', unsent: false })
    failing = false
    expect(await cluster.call(to, who, null)).toBe(1)
    expect(countOf(broker!, KEY.findCoordinator)).toBe(2)
  })
})

it('tells an error of a coordinator that does not pass', async () => {
  await withBrokers(1, { script: { [KEY.findCoordinator]: () => coordinatorReply(30) } }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address]))
    await expect(cluster.call({ kind: 'coordinator', of: 'group', key: 'g' }, who, null)).rejects.toMatchObject({ code: 30, errorName: 'GROUP_AUTHORIZATION_FAILED' })
  })
})

it('gives up a call whose broker does not let us in within its time', async () => {
  const clock = new ManualClock(0)
  let greetings = 0
  await withBrokers(1, { script: { [KEY.apiVersions]: request => ++greetings > 1 ? 'silence' : versionsReply(request, WITH_WHO) } }, async ([broker]) => {
    await using cluster = await openCluster(testOptions([broker!.address], { clock }))
    const call = cluster.call({ kind: 'node', id: 1 }, who, null, { timeoutMs: 2_000 })
    await eventually(() => { expect(greetings).toBe(2) })
    clock.advance(2_000)
    await expect(call).rejects.toMatchObject({ name: 'ConnectionLost', unsent: true })
  })
})

it('says that it is closed, to those who wait too', async () => {
  await withBrokers(1, { script: { [WHO]: () => 'silence' } }, async ([broker]) => {
    const cluster = await openCluster(testOptions([broker!.address]))
    const waiting = askWho(cluster, 1)
    await eventually(() => { expect(countOf(broker!, WHO)).toBe(1) })
    const lost = expect(waiting).rejects.toMatchObject({ name: 'ConnectionLost' })
    await cluster[Symbol.asyncDispose]()
    await lost
    await expect(askWho(cluster, 1)).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  })
})
