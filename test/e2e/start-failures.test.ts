import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempDir } from '../kit/temp-dir.ts'
import { cliArgs, runCli, startCli, type CliOptions } from './kit/index.ts'

/** One line that says what to do, exit code 1, no stack trace. */
async function expectOneLine (args: readonly string[], ...says: readonly RegExp[]): Promise<void> {
  const { code, stderr } = await runCli(args)
  expect(stderr.replace(/\n$/, '').split('\n'), stderr).toHaveLength(1)
  for (const pattern of says) expect(stderr).toMatch(pattern)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(code).toBe(1)
}

const offline = { flags: ['--offline', 'off'] } as const

it.each([
  ['HTTP', 'httpPort', /LATIDO_HTTP_PORT/], ['HL7', 'mllpPort', /LATIDO_MLLP_PORT/], ['MQTT', 'mqttPort', /LATIDO_MQTT_PORT/],
] as const)('a port for %s that is in use', async (_name, option, says) => {
  const dir = tempDir()
  const holder = createServer()
  await new Promise<void>(resolve => { holder.listen(0, '127.0.0.1', resolve) })
  const { port } = holder.address() as AddressInfo
  await expectOneLine(cliArgs({ dataDir: dir.path, ...offline, [option]: port } as CliOptions), /PORT_IN_USE/, new RegExp(`${port}`), says)
  holder.close()
  dir.remove()
})

it('a data directory that cannot be made', async () => {
  const dir = tempDir()
  const file = join(dir.path, 'a-file')
  writeFileSync(file, '')
  await expectOneLine(cliArgs({ dataDir: join(file, 'below') }), /DATA_DIR_UNWRITABLE/, /LATIDO_DATA_DIR/)
  dir.remove()
})

it.each(['log', 'snapshots', 'identity'])('a damaged store: %s', async store => {
  const dir = tempDir()
  mkdirSync(join(dir.path, store), { recursive: true })
  writeFileSync(join(dir.path, store, 'data.mdb'), Buffer.alloc(65_536, 0x5a))
  await expectOneLine(cliArgs({ dataDir: dir.path, ...offline }), /STORE_CORRUPT/, /backup|move/)
  dir.remove()
})

it('a store that was cut short', async () => {
  const dir = tempDir()
  const cli = await startCli({ dataDir: dir.path, ...offline })
  await cli.end('SIGINT')
  writeFileSync(join(dir.path, 'log', 'data.mdb'), Buffer.alloc(100))
  await expectOneLine(cliArgs({ dataDir: dir.path, ...offline }), /STORE_CORRUPT/, /backup|move/)
  dir.remove()
})

it('a data directory that another instance uses, which goes on undisturbed', async () => {
  const dir = tempDir()
  await using cli = await startCli({ dataDir: dir.path, ...offline })
  await expectOneLine(cliArgs({ dataDir: dir.path, ...offline }), /DATA_DIR_IN_USE/, new RegExp(`process ${cli.pid}`), /stop it|another directory/)
  expect((await fetch(new URL('/healthz', cli.url))).status).toBe(200)
  expect(await cli.end('SIGINT')).toEqual({ code: 0, signal: null })
  dir.remove()
})

it.each([
  ['a port out of range', ['--http-port', '99999'], /--http-port/], ['an option that there is not', ['--colour', 'red'], /colour/],
  ['a time zone that there is not', ['--zone', 'Nowhere/Else'], /zone/i], ['an address beyond this machine', ['--host', '0.0.0.0'], /allow-exposed/],
] as const)('a bad option: %s', async (_what, flags, says) => {
  const dir = tempDir()
  const args = ['start', '--data-dir', dir.path, '--mllp-port', '0', '--mqtt-port', '0', '--simulate', 'off', '--offline', 'off', ...flags.includes('--http-port' as never) ? [] : ['--http-port', '0'], ...flags]
  await expectOneLine(args, /CONFIG_INVALID|UNSAFE_EXPOSURE/, says)
  dir.remove()
})

it('a number of partitions that the data directory does not have', async () => {
  const dir = tempDir()
  const cli = await startCli({ dataDir: dir.path, flags: ['--offline', 'off', '--partitions', '2'] })
  await cli.end('SIGINT')
  await expectOneLine(cliArgs({ dataDir: dir.path, flags: ['--offline', 'off', '--partitions', '3'] }), /TOPIC_MISMATCH/)
  dir.remove()
})

it('a command that there is not', async () => {
  const { code, stderr } = await runCli(['strat'])
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).toMatch(/strat.*latido help/)
  expect(code).toBe(1)
})
