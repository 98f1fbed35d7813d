import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { parser, type Packet } from 'mqtt-packet'

/**
 * Between a broker and us: passes the bytes on as they are, and reads along. `delivered`: what the broker sent us; `acknowledged`: what we told it that
 * we have. So what a broker loses and what we lose can be told apart.
 */
export class Wiretap implements AsyncDisposable {
  readonly port: number
  readonly delivered: Set<string> = new Set()
  readonly acknowledged: Set<string> = new Set()
  readonly #close: () => Promise<void>

  private constructor (port: number, close: () => Promise<void>) { this.port = port; this.#close = close }

  static async open (target: number, keyOf: (topic: string, payload: Buffer) => string): Promise<Wiretap> {
    const sockets = new Set<Socket>()
    const server = createServer(us => {
      const broker = connect(target, '127.0.0.1')
      const onWay = new Map<number, string>()
      const down = parser({ protocolVersion: 5 })
      const up = parser({ protocolVersion: 5 })
      down.on('packet', (packet: Packet) => {
        if (packet.cmd !== 'publish' || packet.messageId === undefined) return
        const key = keyOf(packet.topic, packet.payload as Buffer)
        tap.delivered.add(key)
        onWay.set(packet.messageId, key)
      })
      up.on('packet', (packet: Packet) => { if (packet.cmd === 'puback' && packet.messageId !== undefined) tap.acknowledged.add(onWay.get(packet.messageId) ?? 'nothing that was delivered') })
      for (const [from, to, read] of [[us, broker, up], [broker, us, down]] as const) {
        sockets.add(from)
        from.setNoDelay(true)
        from.on('data', bytes => { read.parse(bytes); to.write(bytes) })
        from.on('error', () => { to.destroy() })
        from.on('end', () => { to.end() })
        from.on('close', () => { to.destroy(); sockets.delete(from) })
      }
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const tap = new Wiretap((server.address() as AddressInfo).port, async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    })
    return tap
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#close() }
}
