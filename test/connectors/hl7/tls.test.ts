import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frame, hl7Connector, sendHl7, withSecrets, type Hl7ServerTls } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, type SecretRef } from '../../../connectors/kit/index.ts'
import { hl7ClientTlsSchema, hl7ServerTlsSchema } from '../../../connectors/hl7/tls.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { HL7_LIMITS } from '../../../connectors/hl7/limits.ts'
import { makeCertificates, type Certificates, type Pair } from './certificates.ts'
import { eventually, listener, oru } from './support.ts'

const HR = 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F'
let certificates: Certificates
beforeAll(() => { certificates = makeCertificates() })
afterAll(() => { certificates[Symbol.dispose]() })

const required = (): Hl7ServerTls => ({ ...certificates.server, caFile: certificates.caFile, clientCertificates: 'required' })

interface Attempt { readonly answers: Buffer, readonly failed: boolean, readonly protocol: string | null }

/** Connects, sends one message, and says what came back before the connection ended or the answer was there. */
async function attempt (port: number, options: ConnectionOptions & { readonly pair?: Pair }): Promise<Attempt> {
  const { pair, ...others } = options
  const keys = pair === undefined ? {} : { key: readFileSync(pair.keyFile), cert: readFileSync(pair.certFile) }
  const socket: TLSSocket = connectTls({ host: '127.0.0.1', port, ca: readFileSync(certificates.caFile), ...keys, ...others })
  return await new Promise(resolve => {
    let protocol: string | null = null
    const end = (failed: boolean, answers: Buffer = Buffer.alloc(0)): void => { socket.destroy(); resolve({ answers, failed, protocol }) }
    socket.once('secureConnect', () => { protocol = socket.getProtocol(); socket.write(frame(oru('M1', HR))) })
    socket.once('data', (chunk: Buffer) => { end(false, chunk) })
    socket.once('error', () => { end(true) })
    socket.once('close', () => { end(true) })
  })
}

describe('a feed with client certificates', () => {
  it('answers a sender whose certificate its authority signed, on TLS 1.3, and counts the certificate by its name', async () => {
    await using server = await listener({}, { tls: required() })
    expect(server.connector.endpoint).toBe(`mllps://127.0.0.1:${server.port}`)
    const { answers, protocol } = await attempt(server.port, { pair: certificates.sender })
    expect([protocol, answers.toString().includes('MSA|AA|M1')]).toEqual(['TLSv1.3', true])
    expect([server.intake.counts.get('certificate-his-interface-1'), server.intake.counts.get('connections'), server.intake.published.length]).toEqual([1, 1, 1])
  })
  it.each([
    ['without a certificate', () => ({})],
    ['with a certificate of another authority, though it has the same name', () => ({ pair: certificates.stranger })],
    ['with a certificate, on TLS 1.2', () => ({ pair: certificates.sender, maxVersion: 'TLSv1.2' as const })],
  ])('refuses a sender %s, and takes nothing of it', async (_, options) => {
    await using server = await listener({}, { tls: required() })
    expect(await attempt(server.port, options())).toMatchObject({ failed: true })
    await eventually(() => server.intake.counts.get('tls-handshakes-refused') === 1)
    expect([...server.intake.counts.keys()]).toEqual(['tls-handshakes-refused'])
    expect([server.intake.published, server.intake.refused]).toEqual([[], []])
  })
  it('refuses a sender that speaks plain MLLP', async () => {
    await using server = await listener({}, { tls: required() })
    const socket = connect({ host: '127.0.0.1', port: server.port })
    const closed = new Promise(resolve => { socket.on('error', () => {}); socket.once('close', resolve) })
    socket.write(frame(oru('M1', HR)))
    await closed
    await eventually(() => server.intake.counts.get('tls-handshakes-refused') === 1)
    expect(server.intake.published).toEqual([])
  })
  it('closes a connection whose handshake does not end in time', async () => {
    await using server = await listener({ handshakeMs: 100 }, { tls: required() })
    const socket = connect({ host: '127.0.0.1', port: server.port })
    await new Promise(resolve => { socket.on('error', () => {}); socket.once('close', resolve) })
    expect([...server.intake.counts]).toEqual([['tls-handshake-timeouts', 1]])
  })
  it('counts a connection that is in its handshake against the limit, and closes it at the end', async () => {
    const server = await listener({ connectionsMax: 1 }, { tls: required() })
    const stuck = connect({ host: '127.0.0.1', port: server.port })
    const closed = new Promise(resolve => { stuck.on('error', () => {}); stuck.once('close', resolve) })
    await new Promise(resolve => { stuck.once('connect', resolve) })
    expect(await attempt(server.port, { pair: certificates.sender })).toMatchObject({ failed: true })
    await eventually(() => server.intake.counts.get('connections-refused') === 1)
    await server.connector[Symbol.asyncDispose]()
    await closed
  })
})

describe('a feed with TLS alone', () => {
  it('answers a sender without a certificate', async () => {
    await using server = await listener({}, { tls: { ...certificates.server, clientCertificates: 'off' } })
    expect((await attempt(server.port, {})).answers.toString()).toContain('MSA|AA|M1')
  })
  it('takes many messages of one sender, large ones too', async () => {
    await using server = await listener({}, { tls: { ...certificates.server, clientCertificates: 'off' } })
    const messages = Array.from({ length: 20 }, (_, i) => oru(`M${i}`, HR, `NTE|1||${'x'.repeat(100_000)}`))
    expect(await sendHl7({ host: '127.0.0.1', port: server.port, messages, tls: { caFile: certificates.caFile } })).toEqual({ sent: 20, codes: { AA: 20 } })
  })
})

describe('a sender with TLS', () => {
  it('shows its certificate', async () => {
    await using server = await listener({}, { tls: required() })
    expect(await sendHl7({ host: '127.0.0.1', port: server.port, messages: [oru('M1', HR)], tls: { caFile: certificates.caFile, ...certificates.sender } })).toEqual({ sent: 1, codes: { AA: 1 } })
  })
  it('does not send to a receiver that it does not trust', async () => {
    await using server = await listener({}, { tls: required() })
    await expect(sendHl7({ host: '127.0.0.1', port: server.port, messages: [oru('M1', HR)], tls: { caFile: join(certificates.folder, 'others.pem') } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(sendHl7({ host: '127.0.0.1', port: server.port, messages: [oru('M1', HR)], tls: { caFile: certificates.caFile, serverName: 'another.hospital' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(server.intake.published).toEqual([])
  })
})

describe('a private key that is a secret', () => {
  const encrypted = (): string => execFileSync('openssl', ['pkcs8', '-topk8', '-in', certificates.server.keyFile, '-passout', 'pass:open sesame'], { encoding: 'utf8' })
  const secrets = (names: Readonly<Record<string, string>>) => (ref: SecretRef): string => names['env' in ref ? ref.env : ref.file]!
  const said = (own: object): Hl7ServerTls => hl7ServerTlsSchema.parse({ certFile: certificates.server.certFile, clientCertificates: 'off', ...own })

  it('is read where it is named, with the passphrase that opens it', async () => {
    const tls = withSecrets(said({ key: { env: 'KEY' }, passphrase: { file: 'pass' } }), secrets({ KEY: encrypted(), pass: 'open sesame' }))
    await using server = await listener({}, { tls })
    expect((await attempt(server.port, {})).answers.toString()).toContain('MSA|AA|M1')
    const sender = withSecrets({ caFile: certificates.caFile, certFile: certificates.sender.certFile, key: { env: 'KEY' } }, secrets({ KEY: readFileSync(certificates.sender.keyFile, 'utf8') }))
    expect(await sendHl7({ host: '127.0.0.1', port: server.port, messages: [oru('M2', HR)], tls: sender })).toEqual({ sent: 1, codes: { AA: 1 } })
  })
  it('is read by a feed of the configuration', async () => {
    const [options, intake] = [hl7Connector.options.parse({ port: 0, tls: { certFile: certificates.server.certFile, clientCertificates: 'off', key: { env: 'KEY' } } }), new FakeIntake()]
    const feed = new Feed({ name: 'lab', kind: 'hl7', intake, mapping: fixedMapping(), map: hl7Connector.mapper(options) })
    await using connector = await hl7Connector.start({ feed, clock: systemClock, table: () => { throw new Error('it has none') }, secret: secrets({ KEY: readFileSync(certificates.server.keyFile, 'utf8') }), say: () => {} }, options)
    expect((await attempt(Number(new URL(connector.endpoint).port), {})).answers.toString()).toContain('MSA|AA|M1')
  })
  it.each([['another passphrase', { KEY: '', pass: 'other' }], ['no PEM', { KEY: 'MHcCAQ', pass: 'open sesame' }]])('with %s ends the start, and nothing of it is told', async (_, given) => {
    const tls = withSecrets(said({ key: { env: 'KEY' }, passphrase: { env: 'pass' } }), secrets({ ...given, KEY: given.KEY === '' ? encrypted() : given.KEY }))
    const e = await listener({}, { tls }).then(() => 'started', (cause: unknown) => cause)
    expect(e).toMatchObject({ code: 'FILE_INVALID', message: expect.stringMatching(/key/) as string })
    expect((e as Error).message).not.toMatch(/MHcCAQ|other|sesame/)
  })
  it('is named once: as a secret or as a file', () => {
    const is = (own: object): boolean => hl7ServerTlsSchema.safeParse({ certFile: 'c', clientCertificates: 'off', ...own }).success
    expect([is({}), is({ keyFile: 'k' }), is({ key: { env: 'K' } }), is({ key: { text: 'a key in the clear' } }), is({ keyFile: 'k', key: { env: 'K' } })]).toEqual([false, true, true, false, false])
    const to = (own: object): boolean => hl7ClientTlsSchema.safeParse(own).success
    expect([to({}), to({ certFile: 'c' }), to({ key: { env: 'K' } }), to({ certFile: 'c', key: { file: 'k' } }), to({ certFile: 'c', keyFile: 'k' })]).toEqual([true, false, false, true, true])
  })
})

describe('files that cannot be used', () => {
  it('are named by their option, never by their path', async () => {
    const missing = join(certificates.folder, 'missing.pem')
    const wrong = join(certificates.folder, 'wrong.pem')
    writeFileSync(wrong, 'der')
    const start = async (tls: Partial<Hl7ServerTls>): Promise<unknown> => await listener({}, { tls: { ...required(), ...tls } }).then(() => 'started', (e: unknown) => e)
    for (const [tls, code, option] of [[{ keyFile: missing }, 'FILE_UNREADABLE', 'tls.keyFile'], [{ caFile: missing }, 'FILE_UNREADABLE', 'tls.caFile'], [{ certFile: wrong }, 'FILE_INVALID', 'tls.certFile'], [{ keyFile: certificates.sender.keyFile }, 'FILE_INVALID', 'tls.keyFile']] as const) {
      const e = await start(tls)
      expect(e).toMatchObject({ code })
      const said = `${(e as Error).message} ${(e as { action: string }).action}`
      expect([said.includes(option), said.includes(certificates.folder)]).toEqual([true, false])
    }
  })
})

it('every limit has a default', () => { expect(Object.values(HL7_LIMITS).every(n => Number.isInteger(n) && n > 0)).toBe(true) })
