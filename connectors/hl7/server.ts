import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Connector, ConnectorHealth, Feed } from '../kit/index.ts'
import { Hl7Connection } from './connection.ts'
import { HL7_LIMITS, type Hl7Limits } from './limits.ts'
import type { Hl7Fault } from './outcome.ts'
import { Receiver } from './receiver.ts'
import { CertificateNames, handshakeFailure, serverTls, type Hl7ServerTls } from './tls.ts'

export interface Hl7Options {
  readonly host: string
  /** 0: any free port; `endpoint` says which. */
  readonly port: number
  readonly feed: Feed<Hl7Fault>
  readonly clock: Clock
  readonly limits?: Partial<Hl7Limits>
  readonly tls?: Hl7ServerTls | undefined
}

const SWEEP_MS = 1000

/**
 * Listens for HL7 v2 over MLLP, on TLS 1.3 or plain. A message is answered when the log has it. Throws PORT_IN_USE, CONFIG_INVALID for a port
 * or host that cannot be, FILE_UNREADABLE or FILE_INVALID for a certificate. Disposing takes no new bytes, answers what was received, and closes.
 */
export async function startHl7 (options: Hl7Options): Promise<Connector> {
  const listener = new Listener(options)
  await listener.listen()
  return listener
}

class Listener implements Connector {
  readonly #options: Hl7Options
  readonly #limits: Hl7Limits
  readonly #receiver: Receiver
  readonly #server: Server
  readonly #connections = new Set<Hl7Connection>()
  /** Every socket, also those whose handshake is not done. */
  readonly #sockets = new Set<Socket>()
  #stopSweeping: () => void = () => {}
  #broken: ConnectorHealth | undefined
  endpoint = ''

  constructor (options: Hl7Options) {
    this.#options = options
    const { feed, clock, tls } = options
    this.#limits = { ...HL7_LIMITS, ...options.limits }
    this.#receiver = new Receiver({ feed, clock, limits: this.#limits })
    this.#server = tls === undefined ? createServer({ allowHalfOpen: true }, socket => { this.#accept(socket) }) : this.#tlsServer(tls)
    this.#server.maxConnections = this.#limits.connectionsMax
    this.#server.on('drop', () => { feed.count('connections-refused') })
    this.#server.on('connection', (socket: Socket) => { this.#sockets.add(socket); socket.once('close', () => { this.#sockets.delete(socket) }) })
  }

  get name (): string { return this.#options.feed.name }
  health (): ConnectorHealth { return this.#broken ?? this.#receiver.health }

  async listen (): Promise<void> {
    const { host, port, clock, feed, tls } = this.#options
    await listen(this.#server, host, port)
    this.#server.on('error', () => { feed.count('listener-errors'); this.#broken = { state: 'failed', since: clock.now(), why: 'the listener failed' } })
    this.#stopSweeping = clock.every(SWEEP_MS, () => { for (const connection of this.#connections) connection.sweep() })
    this.endpoint = `${tls === undefined ? 'mllp' : 'mllps'}://${host.includes(':') ? `[${host}]` : host}:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    const { clock } = this.#options
    this.#stopSweeping()
    const closed = new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
    const timeout = new AbortController()
    await Promise.race([Promise.all([...this.#connections].map(connection => connection.drain())), clock.sleep(this.#limits.drainMs, timeout.signal)])
    timeout.abort()
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #tlsServer (tls: Hl7ServerTls): Server {
    const { feed } = this.#options
    const names = new CertificateNames()
    return tlsServerOf(tls, this.#limits.handshakeMs)
      .on('secureConnection', (socket: TLSSocket) => {
        const counter = names.counterOf(socket)
        if (counter !== undefined) feed.count(counter)
        this.#accept(socket)
      })
      .on('tlsClientError', (e: NodeJS.ErrnoException, socket: TLSSocket) => { feed.count(handshakeFailure(e, socket)); socket.destroy() })
  }

  #accept (socket: Socket): void {
    const { feed, clock } = this.#options
    const connection = new Hl7Connection({ socket, receiver: this.#receiver, feed, clock, limits: this.#limits })
    this.#connections.add(connection)
    feed.count('connections')
    socket.once('close', () => { this.#connections.delete(connection) })
  }
}

function tlsServerOf (tls: Hl7ServerTls, handshakeMs: number): ReturnType<typeof createTlsServer> {
  const options = { ...serverTls(tls, handshakeMs), allowHalfOpen: true }
  try {
    return createTlsServer(options)
  } catch (cause) {
    throw new LatidoError('FILE_INVALID', 'the key and the certificate of tls cannot be used together', 'check that tls.key (or tls.keyFile) is the key of tls.certFile, both PEM', cause)
  }
}

function listen (server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (e: NodeJS.ErrnoException): void => { reject(listenError(e, host, port)) }
    server.once('error', failed)
    server.listen({ host, port }, () => { server.off('error', failed); resolve() })
  })
}

function listenError (e: NodeJS.ErrnoException, host: string, port: number): LatidoError {
  if (e.code === 'EADDRINUSE') return new LatidoError('PORT_IN_USE', `port ${port} for HL7 is in use`, 'stop the program that uses it, or choose another with LATIDO_MLLP_PORT, --mllp-port, or the port of the feed', e)
  return new LatidoError('CONFIG_INVALID', `cannot listen for HL7 on ${host}:${port}: ${messageOf(e)}`, 'set LATIDO_MLLP_PORT, or the port of the feed, to a port from 1024 to 65535', e)
}
