import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, expect, it } from 'vitest'
import { runSimulator, seededRandom } from '../../../connectors/simulator/index.ts'
import type { Simulator } from '../../../connectors/simulator/index.ts'
import { systemClock } from '../../../streams/time/index.ts'
import { freePorts } from '../../kit/servers/index.ts'

/** Resolves as soon as a condition holds; asked again after each thing that happens. */
class Watch {
  readonly #waiting = new Set<() => void>()
  until (holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => { if (holds()) { this.#waiting.delete(look); resolve() } }
      this.#waiting.add(look)
      look()
    })
  }

  changed (): void { for (const look of this.#waiting) look() }
}

/** A receiver that answers each frame with what `answer` says; undefined: not at all, and it hangs up. */
class TinyMllp {
  readonly received: { readonly controlId: string, readonly type: string }[] = []
  readonly #sockets = new Set<Socket>()
  readonly server: Server
  constructor (watch: Watch, answer: (count: number) => string | undefined) {
    this.server = createServer(socket => {
      this.#sockets.add(socket)
      let bytes = Buffer.alloc(0)
      socket.on('error', () => undefined)
      socket.on('data', chunk => {
        bytes = Buffer.concat([bytes, chunk])
        for (let end = bytes.indexOf('\x1c\r'); end >= 0; end = bytes.indexOf('\x1c\r')) {
          const msh = bytes.subarray(1, end).toString('utf8').split('\r')[0]?.split('|') ?? []
          expect(bytes[0]).toBe(0x0b)
          bytes = bytes.subarray(end + 2)
          const code = answer(this.received.length)
          this.received.push({ controlId: msh[9] ?? '', type: msh[8] ?? '' })
          if (code === undefined) socket.destroy()
          else socket.write(`\x0bMSH|^~\\&|T|T|S|S|20310506||ACK|A${this.received.length}|P|2.5.1\rMSA|${code}|${msh[9] ?? ''}\r\x1c\r`)
          watch.changed()
        }
      })
    })
  }

  close (): void {
    this.server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const closers: (() => PromiseLike<void> | void)[] = []
afterEach(async () => { for (const close of closers.splice(0).reverse()) await close() })

async function listen (server: Server, port = 0): Promise<number> {
  await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
  return (server.address() as AddressInfo).port
}

async function startBroker (watch: Watch, port = 0): Promise<{ readonly port: number, readonly topics: string[], readonly payloads: Map<string, string>, readonly close: () => Promise<void> }> {
  const topics: string[] = []
  const payloads = new Map<string, string>()
  const broker = await Aedes.createBroker({ authorizePublish: (_client, packet, done) => { topics.push(packet.topic); payloads.set(packet.topic, packet.payload.toString()); watch.changed(); done(null) } })
  const server = createServer(broker.handle)
  const bound = await listen(server, port)
  const close = async (): Promise<void> => {
    server.close()
    await new Promise<void>(resolve => { broker.close(resolve) })
  }
  closers.push(close)
  return { port: bound, topics, payloads, close }
}

function simulate (hl7Port: number, mqttPort: number, signal?: AbortSignal): Simulator {
  const simulator = runSimulator({ clock: systemClock, random: seededRandom(1), hl7: { host: '127.0.0.1', port: hl7Port }, mqtt: { host: '127.0.0.1', port: mqttPort }, patients: 3, speed: 60, ...(signal === undefined ? {} : { signal }) })
  closers.push(() => simulator[Symbol.asyncDispose]())
  return simulator
}

it('speaks MLLP and MQTT over sockets: admissions first, each monitor with its bed before its numerics', async () => {
  const watch = new Watch()
  const mllp = new TinyMllp(watch, () => 'AA')
  closers.push(() => { mllp.close() })
  const broker = await startBroker(watch)
  const stop = new AbortController()
  const simulator = simulate(await listen(mllp.server), broker.port, stop.signal)
  await watch.until(() => mllp.received.length > 10 && ['01', '02', '03'].every(bed => broker.payloads.has(`latido/devices/monitor-${bed}/numerics`)))
  expect(mllp.received.slice(0, 3).map(({ type }) => type)).toEqual(Array.from({ length: 3 }, () => 'ADT^A01^ADT_A01'))
  expect(JSON.parse(broker.payloads.get('latido/devices/monitor-02/association') ?? '')).toEqual({ ward: 'W1', bed: '02' })
  const numerics = JSON.parse(broker.payloads.get('latido/devices/monitor-02/numerics') ?? '') as { time: number, numerics: unknown[] }
  expect(Math.abs(numerics.time - systemClock.now())).toBeLessThan(600_000)
  expect(numerics.numerics.length).toBeGreaterThanOrEqual(3)
  expect(broker.topics.indexOf('latido/devices/monitor-01/association')).toBeLessThan(broker.topics.indexOf('latido/devices/monitor-01/numerics'))
  stop.abort()
  await simulator.finished
  expect(simulator.hl7.rejected).toBe(0)
})

it('sends a message that was not taken again with the same control id, and goes on after a final no', async () => {
  const watch = new Watch()
  const answers = ['AA', 'AE', 'AA', undefined, 'AA', 'AR', 'AA']
  const mllp = new TinyMllp(watch, count => count < answers.length ? answers[count] : 'AA')
  closers.push(() => { mllp.close() })
  const broker = await startBroker(watch)
  const simulator = simulate(await listen(mllp.server), broker.port)
  await watch.until(() => mllp.received.length > 8)
  const ids = mllp.received.map(({ controlId }) => controlId)
  expect([ids[1] === ids[2], ids[3] === ids[4], ids[4] === ids[5], ids[5] === ids[6]]).toEqual([true, true, false, false])
  expect(new Set(ids).size).toBe(ids.length - 2)
  expect([simulator.hl7.resent, simulator.hl7.rejected]).toEqual([2, 1])
})

it('waits for endpoints that are away, and comes back to them', async () => {
  const watch = new Watch()
  const [port = 0, mqttPort = 0] = await freePorts(2)
  simulate(port, mqttPort)
  const mllp = new TinyMllp(watch, () => 'AA')
  closers.push(() => { mllp.close() })
  await listen(mllp.server, port)
  const broker = await startBroker(watch, mqttPort)
  await watch.until(() => mllp.received.length > 5 && broker.topics.some(topic => topic.endsWith('/numerics')))
  expect(mllp.received[0]?.type).toBe('ADT^A01^ADT_A01')
  expect(broker.payloads.get('latido/devices/monitor-01/status')).toBe('{"state":"online"}')
})
