import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Below the range from which systems give ports to outgoing connections (Linux from 32,768, some sandboxes from 16,000):
 * while a server is down for a restart, a client's own connection could otherwise take its port, or a client that dials it
 * could connect to itself.
 */
const FIRST = 10_000
const COUNT = 3_000

/** Held open until the process ends: whoever holds the guard of a port, `COUNT` above it, may use the port, also before its server listens and while it is down. */
const guards: Server[] = []

/** Ports on loopback that no other process of the tests draws while this one lives. */
export async function freePorts (count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(FIRST, FIRST + COUNT)
    const guard = await listen(port + COUNT)
    if (guard === undefined) continue
    const probe = await listen(port)
    if (probe === undefined) { await close(guard); continue }
    await close(probe)
    guards.push(guard.unref())
    ports.push(port)
  }
  return ports
}

async function listen (port: number): Promise<Server | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}

async function close (server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

/** Asks again and again until `ready` says so; throws what `broken` answers, or after the deadline. */
export async function until (what: string, withinMs: number, ready: () => Promise<boolean> | boolean, broken: () => string | undefined = () => undefined): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!await ready()) {
    const why = broken()
    if (why !== undefined) throw new Error(`${what}: ${why}`)
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await sleep(50)
  }
}

/** A broker answers ApiVersions (v0) only when it has caught up with the metadata and takes requests. */
export function answersKafka (port: number): Promise<boolean> {
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const done = (answer: boolean) => (): void => { resolve(answer); socket.destroy() }
    socket.setTimeout(1_000, done(false))
    socket.on('error', done(false))
    socket.on('close', done(false))
    socket.on('data', done(true))
    socket.on('connect', () => { socket.write(request) })
  })
}

/** True where a GET is answered well. */
export async function answersHttp (url: string): Promise<boolean> {
  try { return (await fetch(url)).ok } catch { return false }
}
