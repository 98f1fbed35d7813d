import { expect, it } from 'vitest'
import type { WirePatient } from '../../dashboards/server/wire.ts'
import { systemClock } from '../../streams/time/index.ts'
import { describeWith, startRedis } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, DETERIORATED, MllpClient, STABLE, startCli, until, type Cli } from './kit/index.ts'

const describeStack = await describeWith('redisStack')

describeStack('the whole product on a Redis with search', () => {
  it('finds by ward, bed and alert who came over HL7, also after kill -9', async () => {
    const dir = tempDir()
    await using redis = await startRedis({ stack: true })
    const start = (): Promise<Cli> => startCli({ dataDir: dir.path, flags: ['--redis', redis.url, '--offline', 'off'] })
    const found = async (cli: Cli, query: string): Promise<string> => (await api<WirePatient[]>(cli.url, `/api/patients?${query}`)).map(({ id }) => id).join()
    {
      await using cli = await start()
      using sender = await MllpClient.open(cli.mllpPort)
      const now = systemClock.now()
      for (const message of [admission('B-1', 'BOARD-1', '01', now), admission('B-2', 'BOARD-2', '10', now), chartedSet('B-3', 'BOARD-1', DETERIORATED, now), chartedSet('B-4', 'BOARD-2', STABLE, now)]) await sender.exchange(message)
      await until('the alert to be found', async () => await found(cli, 'q=emergency') === 'BOARD-1' ? true : undefined)
      const response = await fetch(new URL('/api/patients?ward=w1&sort=place', cli.url))
      expect(response.headers.get('latido-search-by')).toBe('redis-search')
      expect(response.headers.get('latido-total')).toBe('2')
      await cli.end('SIGKILL')
    }
    {
      await using cli = await start()
      expect(await found(cli, 'ward=W1&sort=place')).toBe('BOARD-1,BOARD-2')
      expect(await found(cli, 'q=w1%201')).toBe('BOARD-1')
      expect(await found(cli, 'news2Min=7&alert=active')).toBe('BOARD-1')
      using sender = await MllpClient.open(cli.mllpPort)
      await sender.exchange(admission('B-5', 'BOARD-3', '2', systemClock.now()))
      await until('the new patient in the order of beds', async () => await found(cli, 'ward=W1&sort=place') === 'BOARD-1,BOARD-3,BOARD-2' ? true : undefined)
      await cli.end('SIGINT')
    }
    dir.remove()
  })
})
