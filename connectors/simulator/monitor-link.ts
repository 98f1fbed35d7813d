import mqtt from 'mqtt'
import type { MqttClient } from 'mqtt'

const IN_FLIGHT_MAX = 100
const RECONNECT_AFTER_MS = 1_000

export interface MonitorCounts { sent: number, acknowledged: number, dropped: number }

/**
 * One monitor's connection. It says whose bed it stands at each time it connects, leaves a last will, and sends again what was not
 * acknowledged. While it is not connected it keeps nothing: a monitor has no memory for what nobody took.
 */
export class MonitorLink {
  readonly #client: MqttClient
  readonly #device: string
  readonly #counts: MonitorCounts
  #association: string | undefined
  #inFlight = 0

  constructor (host: string, port: number, device: string, counts: MonitorCounts) {
    this.#device = device
    this.#counts = counts
    const status = { topic: this.#topic('status'), qos: 1, retain: true } as const
    this.#client = mqtt.connect({
      protocol: 'mqtt', host, port, clientId: `sim-${device}`, clean: false, reconnectPeriod: RECONNECT_AFTER_MS, keepalive: 30,
      will: { ...status, payload: Buffer.from('{"state":"lost"}') },
    })
    this.#client.on('error', () => undefined)
    this.#client.on('connect', () => {
      this.#client.publish(status.topic, '{"state":"online"}', status)
      this.#associate()
    })
  }

  associate (payload: string): void {
    this.#association = payload
    if (this.#client.connected) this.#associate()
  }

  numerics (payload: string): void {
    if (!this.#client.connected || this.#inFlight >= IN_FLIGHT_MAX) { this.#counts.dropped++; return }
    this.#inFlight++
    this.#counts.sent++
    this.#client.publish(this.#topic('numerics'), payload, { qos: 1 }, error => {
      this.#inFlight--
      if (error === undefined || error === null) this.#counts.acknowledged++
    })
  }

  async close (): Promise<void> { await this.#client.endAsync(true) }

  #associate (): void { if (this.#association !== undefined) this.#client.publish(this.#topic('association'), this.#association, { qos: 1, retain: true }) }

  #topic (channel: string): string { return `latido/devices/${this.#device}/${channel}` }
}
