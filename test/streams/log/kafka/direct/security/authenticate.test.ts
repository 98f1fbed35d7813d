import { expect, it } from 'vitest'
import { openCluster, type Cluster } from '../../../../../../streams/log/kafka/direct/cluster/index.ts'
import type { Api } from '../../../../../../streams/log/kafka/direct/wire/index.ts'
import type { KafkaSasl } from '../../../../../../streams/log/kafka/options.ts'
import { ManualClock } from '../../../../../../streams/time/index.ts'
import { KEY, startFakeBroker, VERSIONS, versionsReply, type FakeBroker, type FakeRequest, type Reply, type Script } from '../fake-broker.ts'
import { testOptions } from '../support.ts'

const PING = 902
const ping: Api<null, null> = { name: 'Ping', key: PING, minVersion: 0, maxVersion: 0, flexibleFrom: 99, encode: () => {}, decode: () => null }
const sasl: KafkaSasl = { kind: 'plain', username: 'ann', password: 'only-for-tests' }

const accepted = (sessionLifetimeMs: number): Reply => writer => writer.int16(0).compactString(null).compactBytes(Buffer.alloc(0)).int64(sessionLifetimeMs).tags()
const refusedWith = (message: string): Reply => writer => writer.int16(58).compactString(message).compactBytes(Buffer.alloc(0)).int64(0).tags()

async function withLogin (authenticate: (request: FakeRequest) => Reply, run: (cluster: () => Promise<Cluster>, broker: FakeBroker, clock: ManualClock) => Promise<void>, script: Script = {}): Promise<void> {
  const clock = new ManualClock(0)
  await using broker = await startFakeBroker({
    [KEY.apiVersions]: request => versionsReply(request, [...VERSIONS, [PING, 0, 0]]),
    [KEY.saslHandshake]: () => writer => writer.int16(0).array(['PLAIN'], name => { writer.string(name) }),
    [KEY.saslAuthenticate]: authenticate,
    [PING]: () => () => undefined,
    ...script,
  })
  await run(() => openCluster(testOptions([broker.address], { sasl, clock })), broker, clock)
}

const pinged = async (cluster: Cluster): Promise<void> => { await cluster.call({ kind: 'node', id: 1 }, ping, null) }
const keysOf = (broker: FakeBroker, connection: number): readonly number[] => broker.requests.filter(r => r.connection === connection).map(r => r.key)

it('asks what the broker speaks, names the mechanism, and sends what proves it, before anything else', async () => {
  await withLogin(request => { expect(request.reader.compactBytes()?.toString()).toBe('\0ann\0only-for-tests'); return accepted(0) }, async (open, broker, clock) => {
    await using cluster = await open()
    await pinged(cluster)
    clock.advance(3_600_000 / 10) // a session of lifetime 0 does not end
    await pinged(cluster)
    expect([keysOf(broker, 1), keysOf(broker, 2)]).toEqual([[18, 17, 36, 3], [18, 17, 36, PING, PING]])
  })
})

it('authenticates again on the same connection when nine tenths of the session are over (KIP-368)', async () => {
  await withLogin(() => accepted(10_000), async (open, broker, clock) => {
    await using cluster = await open()
    await pinged(cluster)
    clock.advance(8_900)
    await pinged(cluster)
    clock.advance(100)
    await Promise.all([pinged(cluster), pinged(cluster)])
    expect(keysOf(broker, 2)).toEqual([18, 17, 36, PING, PING, 17, 36, PING, PING])
  })
})

it('gives one clear error when a credential is no longer taken', async () => {
  let valid = true
  await withLogin(() => valid ? accepted(10_000) : refusedWith('Authentication failed: Invalid username or password'), async (open, _, clock) => {
    await using cluster = await open()
    await pinged(cluster)
    valid = false
    clock.advance(9_000)
    const refused = { code: 'BROKER_AUTHENTICATION_FAILED', message: 'the broker refused the login by PLAIN: Authentication failed: Invalid username or password' }
    for (let i = 0; i < 2; i++) await expect(pinged(cluster)).rejects.toMatchObject(refused)
  })
})

it('says which mechanisms the listener offers', async () => {
  await withLogin(() => accepted(0), async open => {
    await expect(open()).rejects.toMatchObject({ code: 'BROKER_AUTHENTICATION_FAILED', message: 'the broker\'s listener offers SCRAM-SHA-512, OAUTHBEARER, not PLAIN' })
  }, { [KEY.saslHandshake]: () => writer => writer.int16(33).array(['SCRAM-SHA-512', 'OAUTHBEARER'], name => { writer.string(name) }) })
})

it('takes a connection that ends during the login for a broker that is away', async () => {
  await withLogin(() => 'close', async open => { await expect(open()).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' }) })
})
