import { createServer, type AddressInfo, type Server } from 'node:net'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Clock } from '../../streams/time/index.ts'
import type { Connector, Intake, TimePolicy } from '../kit/port.ts'
import type { LocalCodes } from './code.ts'
import { Hl7Connection } from './connection.ts'
import { HL7_LIMITS, HL7_TIME_POLICY, type Hl7Limits } from './limits.ts'
import { Receiver, SOURCE } from './receiver.ts'
import { checkZone } from './zone.ts'

export interface Hl7Options {
  readonly host: string
  /** 0: any free port; `endpoint` says which. */
  readonly port: number
  readonly intake: Intake
  readonly clock: Clock
  /** IANA zone of times without an offset in messages whose MSH-7 has none; UTC by default. */
  readonly zone?: string
  readonly limits?: Partial<Hl7Limits>
  readonly policy?: TimePolicy
  readonly localCodes?: LocalCodes
}

const SWEEP_MS = 1000

/**
 * Listens for HL7 v2 over MLLP. A message is answered when the log has it. Throws PORT_IN_USE, or CONFIG_INVALID for a port,
 * host or zone that cannot be. Disposing takes no new bytes, answers what was received, and closes.
 */
export async function startHl7 (options: Hl7Options): Promise<Connector> {
  const { host, port, intake, clock, zone = 'UTC', policy = HL7_TIME_POLICY, localCodes } = options
  checkZone(zone)
  const limits: Hl7Limits = { ...HL7_LIMITS, ...options.limits }
  const receiver = new Receiver({ intake, clock, zone, policy, limits, localCodes })
  const connections = new Set<Hl7Connection>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    const connection = new Hl7Connection({ socket, receiver, intake, clock, limits })
    connections.add(connection)
    intake.count(SOURCE, 'connections')
    socket.once('close', () => { connections.delete(connection) })
  })
  server.maxConnections = limits.connectionsMax
  server.on('drop', () => { intake.count(SOURCE, 'connections-refused') })
  await listen(server, host, port)
  server.on('error', () => { intake.count(SOURCE, 'listener-errors') })
  const stopSweeping = clock.every(SWEEP_MS, () => { for (const connection of connections) connection.sweep() })
  const address = server.address() as AddressInfo
  const since = clock.now()
  return {
    name: 'hl7',
    endpoint: `mllp://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    health: () => ({ state: 'up', since, why: '' }),
    async [Symbol.asyncDispose] () {
      stopSweeping()
      const closed = new Promise<void>(resolve => { server.close(() => { resolve() }) })
      const timeout = new AbortController()
      await Promise.race([Promise.all([...connections].map(connection => connection.drain())), clock.sleep(limits.drainMs, timeout.signal)])
      timeout.abort()
      for (const connection of connections) connection.destroy()
      await closed
    },
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
  if (e.code === 'EADDRINUSE') return new LatidoError('PORT_IN_USE', `port ${port} for HL7 is in use`, 'stop the program that uses it, or choose another with LATIDO_MLLP_PORT or --mllp-port', e)
  return new LatidoError('CONFIG_INVALID', `cannot listen for HL7 on ${host}:${port}: ${messageOf(e)}`, 'set LATIDO_MLLP_PORT to a port from 1024 to 65535', e)
}
