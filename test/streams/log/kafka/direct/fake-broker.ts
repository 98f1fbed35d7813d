import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { WireReader, WireWriter } from '../../../../../streams/log/kafka/direct/wire/index.ts'

/** Keys of the calls that the tests answer. */
export const KEY = { fetch: 1, metadata: 3, findCoordinator: 10, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 } as const

export interface FakeRequest {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  /** At the body. */
  readonly reader: WireReader
  readonly socket: Socket
  /** Counts connections, from 1. */
  readonly connection: number
}

/** A body; or bytes as they are, with nothing before them; or what else a broker may do. */
export type Reply = ((writer: WireWriter) => unknown) | { readonly raw: Buffer } | 'silence' | 'close'
export type Script = Readonly<Record<number, (request: FakeRequest) => Reply | Promise<Reply>>>

export interface FakeBroker extends AsyncDisposable {
  readonly port: number
  readonly address: string
  readonly requests: readonly FakeRequest[]
  /** Ever made, and open now. */
  readonly connections: number
  readonly open: number
  /** Ends all connections, and takes new ones. */
  dropAll (): void
}

export interface FakeBrokerOptions {
  /** Cuts what is sent into pieces. Default: as it is. */
  readonly cut?: (frame: Buffer) => readonly Buffer[]
  readonly nodeId?: number
  readonly port?: number
}

const FLEXIBLE_FROM: Readonly<Record<number, number>> = { 1: 12, 3: 9, 10: 3, 17: 99, 18: 3, 36: 2, 68: 0 }
const NO_TOPIC_ID = '0'.repeat(32)

/** A broker that answers by script. What the script leaves out it answers as a healthy cluster of one: versions, itself as the only broker and coordinator, no topics. */
export async function startFakeBroker (script: Script = {}, { cut = frame => [frame], nodeId = 1, port = 0 }: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const requests: FakeRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(socket => {
    const connection = ++connections
    sockets.add(socket)
    socket.setNoDelay(true).on('error', () => { /* the client may go as it likes */ }).on('close', () => { sockets.delete(socket) })
    let answers: Promise<void> = Promise.resolve()
    let received = Buffer.alloc(0)
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const frame = received.subarray(4, 4 + received.readInt32BE(0))
        received = received.subarray(4 + frame.length)
        const request = requestOf(frame, socket, connection)
        requests.push(request)
        answers = answers.then(async () => { send(request, await (script[request.key] ?? healthy(portOf(server), nodeId))(request), cut) })
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server), address: `127.0.0.1:${portOf(server)}`, requests,
    get connections () { return connections },
    get open () { return sockets.size },
    dropAll: () => { for (const socket of sockets) socket.destroy() },
    async [Symbol.asyncDispose] () {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function portOf (server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function requestOf (frame: Buffer, socket: Socket, connection: number): FakeRequest {
  const reader = new WireReader(frame)
  const [key, version, correlationId, clientId] = [reader.int16(), reader.int16(), reader.int32(), reader.string()]
  if (version >= (FLEXIBLE_FROM[key] ?? 99)) reader.tags()
  return { key, version, correlationId, clientId, reader, socket, connection }
}

function send (request: FakeRequest, reply: Reply, cut: (frame: Buffer) => readonly Buffer[]): void {
  const { key, version, correlationId, socket } = request
  if (reply === 'silence') return
  if (reply === 'close') { socket.destroy(); return }
  let bytes: Buffer
  if (typeof reply === 'function') {
    const writer = new WireWriter().int32(0).int32(correlationId)
    if (key !== KEY.apiVersions && version >= (FLEXIBLE_FROM[key] ?? 99)) writer.tags()
    reply(writer)
    bytes = writer.bytes
    bytes.writeInt32BE(bytes.length - 4, 0)
  } else bytes = reply.raw
  for (const piece of cut(bytes)) socket.write(piece)
}

/** What a broker of Kafka 4.2 says that it speaks, as far as the tests go. */
export const VERSIONS: readonly (readonly [key: number, min: number, max: number])[] = [[1, 4, 17], [3, 0, 13], [10, 0, 6], [17, 0, 1], [18, 0, 4], [36, 0, 2], [68, 0, 1]]

export function versionsReply (request: FakeRequest, versions: typeof VERSIONS = VERSIONS, errorCode = 0): Reply {
  return writer => {
    writer.int16(errorCode)
    if (request.version < 3 || errorCode === 35) { writer.array(versions, ([key, min, max]) => { writer.int16(key).int16(min).int16(max) }); if (request.version > 0 && errorCode !== 35) writer.int32(0); return }
    writer.compactArray(versions, ([key, min, max]) => { writer.int16(key).int16(min).int16(max).tags() }).int32(0)
    const features = new WireWriter()
    features.compactArray(['group.version', 'transaction.version'], name => { features.compactString(name).int16(2).int16(0).tags() })
    writer.uvarint(1).uvarint(2).uvarint(features.length).raw(features.bytes)
  }
}

export interface FakeNode { readonly id: number, readonly port: number }
export interface FakeTopic { readonly name: string, readonly id?: string, readonly errorCode?: number, readonly partitions?: readonly { readonly leader: number, readonly epoch: number }[] }

export function metadataReply (request: FakeRequest, nodes: readonly FakeNode[], topics: readonly FakeTopic[] = [], throttleMs = 0): Reply {
  return writer => {
    writer.int32(throttleMs).compactArray(nodes, node => { writer.int32(node.id).compactString('127.0.0.1').int32(node.port).compactString(null).tags() })
    writer.compactString('fake-cluster').int32(1)
    writer.compactArray(topics, ({ name, id = NO_TOPIC_ID, errorCode = 0, partitions = [] }) => {
      writer.int16(errorCode).compactString(name).uuid(id).boolean(false)
      writer.compactArray(partitions.map((p, i) => ({ ...p, i })), ({ i, leader, epoch }) => { writer.int16(0).int32(i).int32(leader).int32(epoch).compactArray([], () => {}).compactArray([], () => {}).compactArray([], () => {}).tags() })
      writer.int32(0).tags()
    })
    if (request.version >= 13) writer.int16(0)
    writer.tags()
  }
}

/** Names of the topics that a Metadata request asks for. */
export function topicsAsked ({ reader }: FakeRequest): readonly string[] {
  return reader.compactArray(() => { reader.uuid(); const name = reader.compactString() ?? ''; reader.tags(); return name })
}

export function coordinatorReply (errorCode: number, node: FakeNode = { id: -1, port: -1 }): Reply {
  return writer => {
    writer.int32(0).compactArray([0], () => { writer.compactString('key').int32(node.id).compactString('127.0.0.1').int32(node.port).int16(errorCode).compactString(null).tags() }).tags()
  }
}

function healthy (port: number, id: number): (request: FakeRequest) => Reply {
  return request => {
    switch (request.key) {
      case KEY.apiVersions: return versionsReply(request)
      case KEY.metadata: return metadataReply(request, [{ id, port }], topicsAsked(request).map(name => ({ name, errorCode: 3 })))
      case KEY.findCoordinator: return coordinatorReply(0, { id, port })
      default: return 'close'
    }
  }
}
