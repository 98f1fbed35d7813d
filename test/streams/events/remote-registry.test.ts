import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRemoteRegistry, refuseUnfit, SchemaBook, type RegistryAuth, type RemoteRegistry, type SubjectSchema } from '../../../streams/events/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { describeWith, freePorts, sharedApicurio } from '../../kit/servers/index.ts'

const NOTE = (...fields: readonly object[]): string => JSON.stringify({ type: 'record', name: 'Note', namespace: 'latido', doc: 'test', fields })
const TEXT = { name: 'text', type: 'string' }
const BY = { name: 'by', type: 'string' }
const open = (url: string, more: { auth?: RegistryAuth, retryForMs?: number } = {}): Promise<RemoteRegistry> => openRemoteRegistry({ url, clock: systemClock, requestTimeoutMs: 60_000, retryForMs: 300, ...more })

const describeApicurio = await describeWith('apicurio')

describeApicurio('a real registry (Apicurio)', () => {
  let url = ''
  let registry: RemoteRegistry
  beforeAll(async () => {
    url = (await sharedApicurio()).url
    registry = await open(url)
  })
  const subject = (): string => `test-${randomUUID()}-latido.Note`
  const stateOf = async (...schemas: readonly SubjectSchema[]): Promise<readonly unknown[]> => (await registry.plan(schemas)).map(p => [p.state, p.guarded])

  it('is told BACKWARD before the first registration, since its own default is none', async () => {
    const of = { subject: subject(), schema: NOTE(TEXT) }
    expect(await stateOf(of)).toEqual([['missing', false]])
    await registry.apply(await registry.plan([of]))
    const [plan] = await registry.plan([of])
    expect(plan).toMatchObject({ state: 'registered', compatibility: 'BACKWARD', guarded: true })
    expect(() => { refuseUnfit([plan!]) }).not.toThrow()
  })

  it('refuses an incompatible schema with its reason, and registers nothing of that deploy', async () => {
    const [name, other] = [subject(), subject()]
    await registry.apply(await registry.plan([{ subject: name, schema: NOTE(TEXT) }]))
    const deploy = await registry.plan([{ subject: other, schema: NOTE(TEXT) }, { subject: name, schema: NOTE(TEXT, BY) }])
    expect(deploy.map(p => p.state)).toEqual(['missing', 'incompatible'])
    await expect(registry.apply(deploy)).rejects.toMatchObject({ code: 'SCHEMA_INCOMPATIBLE', message: expect.stringMatching(/by at \/fields\/1/) as string })
    expect(await stateOf({ subject: other, schema: NOTE(TEXT) }, { subject: name, schema: NOTE(TEXT, BY) })).toEqual([['missing', false], ['incompatible', true]])
    expect(() => { refuseUnfit(deploy) }).toThrow(/Note cannot be used: .*by/)
  })

  it('takes a compatible one; older versions stay readable', async () => {
    const name = subject()
    const schemas = [NOTE(TEXT), NOTE(TEXT, { ...BY, default: 'nobody' })]
    for (const schema of schemas) await registry.apply(await registry.plan([{ subject: name, schema }]))
    const topic = name.replace('-latido.Note', '')
    const old = await SchemaBook.over(registry)
    const written = (await old.codec(topic, JSON.parse(schemas[0]!) as never)).encode({ text: 'old' })
    const book = await SchemaBook.over(registry)
    await book.codec(topic, JSON.parse(schemas[1]!) as never)
    expect({ ...book.decode(written, 0, written.length) as object }).toEqual({ text: 'old', by: 'nobody' })
  })

  it('gives the schema of an id that another wrote, and says when there is none', async () => {
    const name = subject()
    await registry.apply(await registry.plan([{ subject: name, schema: NOTE(TEXT, { name: name.replaceAll(/[^a-z]/g, ''), type: 'string' }) }]))
    const { id } = await registry.idOf(name, NOTE(TEXT, { name: name.replaceAll(/[^a-z]/g, ''), type: 'string' }))
    expect(await registry.lookup!(id)).toContain('latido')
    expect(await registry.lookup!(2_000_000_000)).toBeUndefined()
  })

  it('with a subject that nobody guards stops a start; a deploy mends it', async () => {
    const of = { subject: subject(), schema: NOTE(TEXT) }
    await fetch(`${url}/subjects/${of.subject}/versions`, { method: 'POST', headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify({ schema: of.schema, schemaType: 'AVRO' }) })
    const plans = await registry.plan([of])
    expect(() => { refuseUnfit(plans) }).toThrow(expect.objectContaining({ code: 'REGISTRY_MISMATCH', action: expect.stringContaining('latido topics apply') as string }) as Error)
    await registry.apply(plans)
    expect(await stateOf(of)).toEqual([['registered', true]])
  })

  it('registers nothing for an instance that runs', async () => {
    await expect(registry.idOf(subject(), NOTE(TEXT))).rejects.toMatchObject({ code: 'NOT_PROVISIONED', action: expect.stringContaining('latido topics apply') as string })
  })
})

describe('a registry that does not behave', () => {
  const servers: Server[] = []
  afterAll(() => { for (const server of servers) server.close() })
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    const server = createServer(answer)
    servers.push(server)
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const say = (response: ServerResponse, status: number, body: unknown): void => { response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)) }

  it('and is away: tried again for as long as was said, then one error', async () => {
    await expect(open(`http://127.0.0.1:${(await freePorts(1))[0]}`)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') as string, action: expect.stringContaining('--schema-registry') as string })
  })

  it('and comes back in time: nobody notices', async () => {
    let requests = 0
    const url = await serve((_request, response) => { if (++requests < 3) say(response, 503, {}); else say(response, 200, []) })
    await open(url, { retryForMs: 60_000 })
    expect(requests).toBe(3)
  })

  it('and refuses the password: at once, and without the password in the error', async () => {
    let authorization: string | undefined
    const url = await serve((request, response) => { authorization = request.headers.authorization; say(response, 401, { error_code: 401, message: 'no' }) })
    const failure = await open(url, { auth: { kind: 'basic', username: 'latido', password: 'open-sesame' }, retryForMs: 60_000 }).catch((e: unknown) => e)
    expect(failure).toMatchObject({ code: 'REGISTRY_REFUSED' })
    expect(authorization).toBe(`Basic ${Buffer.from('latido:open-sesame').toString('base64')}`)
    const { inspect } = await import('node:util')
    expect(inspect(failure, { depth: 20 })).not.toMatch(/open-sesame|bGF0aWRv/)
  })

  it('and wants a token: each request has the newest one', async () => {
    const seen: (string | undefined)[] = []
    let n = 0
    const url = await serve((request, response) => { seen.push(request.headers.authorization); say(response, request.method === 'POST' ? 404 : 200, []) })
    const registry = await open(url, { auth: { kind: 'bearer', token: () => `token-${++n}` } })
    await registry.idOf('s', NOTE(TEXT)).catch(() => undefined)
    expect(seen).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it('and is no registry: the error says what the address must be', async () => {
    const url = await serve((_request, response) => { response.writeHead(404).end('<html>') })
    await expect(open(url)).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', action: expect.stringContaining('ccompat') as string })
  })

  it('and sends us elsewhere: credentials do not follow', async () => {
    let visited = false
    const elsewhere = await serve((_request, response) => { visited = true; say(response, 200, []) })
    const url = await serve((_request, response) => { response.writeHead(302, { location: elsewhere }).end() })
    await expect(open(url, { auth: { kind: 'basic', username: 'a', password: 'b' } })).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
    expect(visited).toBe(false)
  })
})
