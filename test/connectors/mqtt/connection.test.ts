import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { generate } from 'mqtt-packet'
import { expect, it } from 'vitest'
import { DeviceConnection, type ConnectionEvents } from '../../../connectors/mqtt/connection.ts'
import { systemClock } from '../../../streams/time/index.ts'

/** A socket of which the test says what comes and how it ends. */
class FakeSocket extends Duplex {
  bytesRead = 0
  override _read (): void {}
  override _write (_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void { done() }
}

const hello = generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'a', clean: true, keepalive: 0 })
const message = generate({ cmd: 'publish', topic: 'latido/devices/a/numerics', payload: 'x'.repeat(1_000), qos: 0, dup: false, retain: false })
const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

function open (): { readonly socket: FakeSocket, readonly connection: DeviceConnection, readonly told: string[] } {
  const socket = new FakeSocket()
  const told: string[] = []
  const events: ConnectionEvents = { oversize: () => told.push('oversize'), malformed: () => told.push('malformed'), reset: () => told.push('reset'), lost: n => told.push(`lost ${n}`) }
  return { socket, connection: new DeviceConnection(socket as unknown as Socket, 100_000, systemClock, events), told }
}

/** As aedes reads: all that is there, and then what is there later. */
async function readAll (connection: DeviceConnection): Promise<Buffer> {
  const chunks: Buffer[] = []
  const ended = new Promise<void>(resolve => { connection.once('end', resolve) })
  const read = (): void => { const chunk = connection.read() as Buffer | null; if (chunk !== null) chunks.push(chunk) }
  connection.on('readable', read)
  read()
  await ended
  return Buffer.concat(chunks)
}

it.each([
  ['ends', (socket: FakeSocket): void => { socket.push(null) }, []],
  ['closes without an end', (socket: FakeSocket): void => { socket.destroy() }, []],
  ['is reset', (socket: FakeSocket): void => { socket.destroy(new Error('ECONNRESET')) }, ['reset']],
] as const)('a socket that %s while nobody reads, with bytes in each buffer: what came is read to its end', async (_how, end, said) => {
  const { socket, connection, told } = open()
  connection.letIn()
  const sent = [hello, ...Array.from({ length: 80 }, () => message)]
  for (const one of sent) socket.push(one)
  await turn()
  expect(connection.readableLength).toBeGreaterThan(0)
  expect(socket.readableLength, 'held back').toBeGreaterThan(0)
  end(socket)
  await turn()
  await turn()
  expect(Buffer.compare(await readAll(connection), Buffer.concat(sent))).toBe(0)
  expect(told.filter(one => !one.startsWith('lost'))).toEqual(said)
})

it('hands the broker its CONNECT alone, however the bytes are cut, and the rest when the client is let in', async () => {
  for (const size of [1, 5, 17, 1_000]) {
    const { socket, connection } = open()
    const sent = Buffer.concat([hello, message, message])
    for (let at = 0; at < sent.length; at += size) socket.push(sent.subarray(at, at + size))
    await turn()
    expect(connection.read()).toEqual(hello)
    expect(connection.read()).toBeNull()
    socket.push(null)
    await turn()
    connection.letIn()
    expect(await readAll(connection)).toEqual(Buffer.concat([message, message]))
  }
})

it('what was not taken when the broker cuts is counted, once: what lies in the connection, in the socket, and what comes behind', async () => {
  const { socket, connection, told } = open()
  connection.letIn()
  socket.push(hello)
  for (let i = 0; i < 80; i++) socket.push(message)
  await turn()
  connection.took()
  connection.destroy()
  socket.push(message)
  socket.push(message.subarray(0, 500)) // never whole
  await expect.poll(() => told).toEqual(['lost 80'])
  expect(socket.destroyed).toBe(true)
})

it('of a client that was never let in nothing is lost', async () => {
  const { socket, connection, told } = open()
  socket.push(Buffer.concat([hello, message]))
  await turn()
  connection.destroy()
  await turn()
  expect([told, socket.destroyed]).toEqual([[], true])
})
