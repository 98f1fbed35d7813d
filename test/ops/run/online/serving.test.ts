import { expect, it } from 'vitest'
import { LatidoClient } from '../../../../clients/typescript/latido-client.ts'
import { openRedisOnlineStore, REDIS_DEFAULTS } from '../../../../features/online/index.ts'
import { ServingCatalogue, STANDARD_SERVICES } from '../../../../features/serving/index.ts'
import { news2View, STANDARD_VIEWS } from '../../../../features/views/index.ts'
import { parseConfig } from '../../../../ops/config/index.ts'
import { startServing } from '../../../../ops/run/online/serving.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { rowOf } from '../../../features/serving/kit.ts'
import { describeWith, startRedis, until } from '../../../kit/servers/index.ts'

it('every standard feature service names features that there are', () => {
  const catalogue = new ServingCatalogue(STANDARD_VIEWS, STANDARD_SERVICES)
  for (const { name } of STANDARD_SERVICES) expect(catalogue.service(name).names.length).toBeGreaterThan(2)
})

it('serving by itself needs a Redis', async () => {
  await expect(startServing(parseConfig([], {}), systemClock, () => {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

const describeRedis = await describeWith('redis')
describeRedis('serving by itself', () => {
  it('reads what the engine of any log wrote, says 503 while Redis is away, and goes on when it is back', async () => {
    await using redis = await startRedis()
    const write = async (): Promise<void> => {
      await using store = await openRedisOnlineStore({ ...REDIS_DEFAULTS, nodes: [{ host: '127.0.0.1', port: redis.port }], owner: 'another log', clock: systemClock })
      const now = systemClock.now()
      await store.put([rowOf(news2View, 'p1', now, news2View.names.map((_, i) => i), news2View.names.map(() => now - 5_000))])
    }
    await write()
    await using serving = await startServing(parseConfig(['--redis', redis.url, '--http-port', '0'], {}), systemClock, () => {})
    const client = new LatidoClient({ baseUrl: serving.url })
    const query = { features: ['news2'], entities: ['p1', 'p2'] }
    expect(await client.readFeatures(query)).toMatchObject({ views: [{ view: 'news2', state: ['served', 'never-stored'], values: [news2View.names.map((_, i) => i), news2View.names.map(() => null)] }] })
    expect((await client.getHealth()).status).toBe('ok')
    expect(await (await fetch(`${serving.url}/metrics`)).text()).toContain('latido_serving_requests_total{view="news2@1"} 1')
    await redis.kill()
    await expect(client.readFeatures(query)).rejects.toMatchObject({ status: 503, code: 'ONLINE_UNAVAILABLE' })
    await redis.start()
    await write()
    await until('features again', 60_000, () => client.readFeatures(query).then(() => true, () => false))
  })
})
