import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { WireCatalogueView, WireFeatures } from '../../dashboards/server/wire.ts'
import { systemClock } from '../../streams/time/index.ts'
import { describeWith, sharedApicurio, sharedKafka } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { admission, api, chartedSet, codeOf, MllpClient, runCli, STABLE, startCli, until } from './kit/index.ts'

const WITHIN_MS = 150_000
vi.setConfig({ testTimeout: 480_000, hookTimeout: 300_000 })
const describeServers = await describeWith('kafka', 'apicurio')

describeServers('views of a folder on a real Kafka', () => {
  it('are published by a command, built from the log, served, and keep their meaning for other instances', async () => {
    const [kafka, registry] = await Promise.all([sharedKafka(), sharedApicurio()])
    const dir = tempDir()
    const folder = join(dir.path, 'my-views')
    const cluster = ['--kafka', kafka.bootstrap, '--kafka-replication', '1', '--schema-registry', registry.url, '--topic-prefix', `own-${randomUUID().slice(0, 8)}.`]
    expect((await runCli(['topics', 'apply', ...cluster])).code).toBe(0)
    expect((await runCli(['features', 'new', folder])).code).toBe(0)
    const flags = [...cluster, '--offline', 'off']
    const chart = async (port: number, id: string): Promise<void> => {
      using sender = await MllpClient.open(port)
      for (const message of [admission(`A-${id}`, 'OWN-K', '01', systemClock.now()), chartedSet(`C-${id}`, 'OWN-K', STABLE, systemClock.now())]) expect(codeOf(await sender.exchange(message) ?? '')).toBe('AA')
    }
    {
      await using cli = await startCli({ dataDir: join(dir.path, 'a'), readyWithinMs: WITHIN_MS, flags })
      await chart(cli.mllpPort, '1')
      await until('the vitals', async () => (await api<WireFeatures>(cli.url, '/api/patients/OWN-K/features')).views.find(v => v.view === 'vitals' && v.asOf !== null), WITHIN_MS)
      await cli.end('SIGINT')
    }
    const own = [...flags, '--features', folder]
    const refused = await runCli(['start', '--data-dir', join(dir.path, 'b'), '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', ...own])
    expect(refused.stderr).toMatch(/view shock@1 is not published: run "latido features publish".*\[NOT_PROVISIONED\]\n$/)
    const published = await runCli(['features', 'publish', ...own])
    expect([published.code, published.stdout]).toEqual([0, 'latido: shock@1 is published\n'])
    expect((await runCli(['features', 'publish', ...own])).stdout).toBe('latido: nothing is new\n')
    {
      await using cli = await startCli({ dataDir: join(dir.path, 'a'), readyWithinMs: WITHIN_MS, flags: own })
      await until('the view has caught up', async () => cli.stdout.includes('view shock@1 has caught up') ? true : undefined, WITHIN_MS)
      const shock = await until('the view of who is silent', async () => (await api<WireFeatures>(cli.url, '/api/patients/OWN-K/features')).views.find(v => v.view === 'shock' && v.asOf !== null), WITHIN_MS)
      expect(shock.features).toMatchObject([{ name: 'heartRateMean5m' }, { name: 'shockIndex', present: true, value: STABLE.beats / STABLE.systolic }])
      expect((await api<WireCatalogueView[]>(cli.url, '/api/catalogue')).find(v => v.name === 'shock')).toMatchObject({ state: 'live', served: true })
      await cli.end('SIGINT')
    }
    writeFileSync(join(folder, 'shock.ts'), `import { featureView, last } from 'latido/features'\nexport const shock = featureView({ name: 'shock', version: 1, owner: 'o', description: 'd', ttl: '15 m', emit: { every: '1 s' }, features: { other: last('heartRate') } })\n`)
    expect((await runCli(['start', '--data-dir', join(dir.path, 'c'), '--http-port', '0', '--mllp-port', '0', '--mqtt-port', '0', ...own])).stderr).toMatch(/\[VIEW_CHANGED\]\n$/)
    dir.remove()
  })
})
