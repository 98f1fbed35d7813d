import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HL7_LIMITS, hl7Connector, type Hl7Fault, type Hl7FeedOptions } from '../../../connectors/hl7/index.ts'
import { Feed, fixedMapping, PLAIN_MAPPING, type Connector, type ConnectorContext } from '../../../connectors/kit/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { FakeIntake } from '../kit/fake-intake.ts'
import { makeCertificates, type Certificates } from './certificates.ts'
import { msa, NOW, oru, portOf, RawClient } from './support.ts'

let certificates: Certificates
beforeAll(() => { certificates = makeCertificates() })
afterAll(() => { certificates[Symbol.dispose]() })

const parse = (raw: unknown): Hl7FeedOptions => hl7Connector.options.parse(raw)
const fault = (raw: unknown): string | undefined => hl7Connector.options.safeParse(raw).error?.issues[0]?.path.join('.')

function start (options: Hl7FeedOptions, name = 'lab', intake = new FakeIntake(NOW), site = ''): Promise<Connector> {
  const feed = new Feed<Hl7Fault>({ name, kind: 'hl7', intake, mapping: fixedMapping({ ...PLAIN_MAPPING, site }), map: hl7Connector.mapper(options) })
  const context: ConnectorContext<Hl7Fault> = { feed, clock: new ManualClock(NOW), table: () => { throw new Error('not used') }, secret: () => '', say: () => {} }
  return hl7Connector.start(context, options)
}

describe('the options of a feed', () => {
  it('all have defaults, and loopback is one', () => {
    expect(parse({})).toMatchObject({ host: '127.0.0.1', port: 2575, limits: HL7_LIMITS })
    expect(parse({ limits: { connectionsMax: 3 } }).limits).toEqual({ ...HL7_LIMITS, connectionsMax: 3 })
  })
  it('are checked, each by its name', () => {
    expect([{ port: -1 }, { limits: { idleMs: 'soon' } }, { limits: { frameBytesMax: 10 } }, { tls: { keyFile: 'k' } }].map(fault)).toEqual(['port', 'limits.idleMs', 'limits.frameBytesMax', 'tls.certFile'])
    expect(fault({ tls: { keyFile: 'k', certFile: 'c' } })).toBe('tls.caFile')
    expect(fault({ tls: { keyFile: 'k', certFile: 'c', clientCertificates: 'off' } })).toBeUndefined()
    expect(fault({ prt: 1 })).toBe('')
  })
})

describe('a feed beyond this machine', () => {
  it('needs TLS with client certificates', async () => {
    const { server, caFile } = certificates
    for (const options of [{}, { tls: { ...server, clientCertificates: 'off' } }]) await expect(start(parse({ host: '0.0.0.0', port: 0, ...options }))).rejects.toMatchObject({ code: 'UNSAFE_EXPOSURE' })
    // An address of nobody's (RFC 5737) shows that the check was passed, and opens no port to the network.
    await expect(start(parse({ host: '203.0.113.1', port: 0, tls: { ...server, caFile } }))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('several feeds in one process', () => {
  it('have each their port, limits and dead letters', async () => {
    const intake = new FakeIntake(NOW)
    await using lab = await start(parse({ port: 0 }), 'lab', intake)
    await using monitors = await start(parse({ port: 0, limits: { frameBytesMax: 1_024 } }), 'monitors', intake)
    expect(new Set([lab, monitors].map(portOf)).size).toBe(2)
    const big = oru('M1', 'OBX|1|NM|8867-4^^LN||88', `NTE|1||${'x'.repeat(2_000)}`)
    const answers: string[] = []
    for (const feed of [lab, monitors]) {
      using client = new RawClient(portOf(feed))
      await client.send(big)
      answers.push(msa((await client.until(1))[0]))
    }
    expect(answers).toEqual(['AA|M1', 'AR|M1'])
    expect(intake.refused.map(r => [r.feed, r.cause])).toEqual([['monitors', 'too-large']])
    expect([lab.name, monitors.name]).toEqual(['lab', 'monitors'])
  })
})
