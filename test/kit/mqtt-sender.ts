import { connect, type Socket } from 'node:net'
import { generate, parser, type Packet } from 'mqtt-packet'

/**
 * Devices of a process of their own: `node --import tsx test/kit/mqtt-sender.ts '{"port":1883,...}'`. Each connection is one device with QoS 1 and a window
 * of messages that are on their way; the messages are numerics with rising `seq`. A connection that breaks comes back and sends again what was not
 * acknowledged (DUP). At the end one line of JSON is printed: how many were acknowledged, and when it began and ended.
 */
export interface SenderOptions {
  readonly port: number
  readonly devices: number
  readonly firstDevice: number
  /** For each device. */
  readonly messages: number
  readonly window: number
  /** Messages a second of all devices together; absent: as fast as they are acknowledged. */
  readonly perSecond?: number
}

class DeviceSender {
  readonly #options: SenderOptions
  readonly #name: string
  readonly #unacknowledged = new Map<number, string>()
  readonly #done: () => void
  #socket: Socket | undefined
  #connected = false
  #next = 0
  #allowed: number
  acknowledged = 0

  constructor (options: SenderOptions, index: number, done: () => void) {
    this.#options = options
    this.#name = `dev-${options.firstDevice + index}`
    this.#done = done
    this.#allowed = options.perSecond === undefined ? Infinity : 0
    this.#open()
  }

  allow (messages: number): void { this.#allowed += messages; this.#fill() }

  #open (): void {
    const socket = this.#socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
    const read = parser({ protocolVersion: 4 })
    read.on('packet', (packet: Packet) => { this.#receive(packet) })
    read.on('error', () => { socket.destroy() })
    socket.on('data', bytes => { read.parse(bytes) })
    socket.on('error', () => {})
    socket.on('close', () => { this.#connected = false; if (this.acknowledged < this.#options.messages) setTimeout(() => { this.#open() }, 50) })
    socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: this.#name, clean: false, keepalive: 60 }))
  }

  #receive (packet: Packet): void {
    if (packet.cmd === 'connack') {
      this.#connected = true
      for (const [id, payload] of this.#unacknowledged) this.#write(id, payload, true)
      this.#fill()
      return
    }
    if (packet.cmd !== 'puback' || packet.messageId === undefined || !this.#unacknowledged.delete(packet.messageId)) return
    if (++this.acknowledged === this.#options.messages) { this.#socket?.end(generate({ cmd: 'disconnect' })); this.#done(); return }
    this.#fill()
  }

  #fill (): void {
    const { window, messages } = this.#options
    if (!this.#connected) return
    this.#socket?.cork()
    while (this.#unacknowledged.size < window && this.#next < messages && this.#allowed > 0) {
      this.#allowed--
      const seq = this.#next++
      const id = seq % 65_535 + 1
      const payload = this.#payload(seq)
      this.#unacknowledged.set(id, payload)
      this.#write(id, payload, false)
    }
    process.nextTick(() => { this.#socket?.uncork() })
  }

  #payload (seq: number): string {
    return `{"time":${Date.now()},"seq":${seq},"patient":"P-${this.#name}","numerics":[{"code":"147842","value":${60 + seq % 40},"unit":"/min"},{"code":"150456","value":${90 + seq % 9},"unit":"%"},{"code":"151562","value":${12 + seq % 8},"unit":"/min"}]}`
  }

  #write (messageId: number, payload: string, dup: boolean): void {
    this.#socket?.write(generate({ cmd: 'publish', topic: `latido/devices/${this.#name}/numerics`, payload, qos: 1, messageId, dup, retain: false }))
  }
}

const options = JSON.parse(process.argv[2] ?? '{}') as SenderOptions
const startedAt = performance.timeOrigin + performance.now()
let running = options.devices
const senders = Array.from({ length: options.devices }, (_, i) => new DeviceSender(options, i, () => {
  if (--running > 0) return
  process.stdout.write(`${JSON.stringify({ acknowledged: senders.reduce((sum, one) => sum + one.acknowledged, 0), startedAt, endedAt: performance.timeOrigin + performance.now() })}\n`)
  setTimeout(() => { process.exit(0) }, 10)
}))
if (options.perSecond !== undefined) {
  const eachMs = 20
  let owed = 0
  setInterval(() => {
    owed += options.perSecond! * eachMs / 1_000 / options.devices
    const now = Math.floor(owed)
    owed -= now
    if (now > 0) for (const one of senders) one.allow(now)
  }, eachMs)
}
