import mqtt, { type MqttClient } from 'mqtt'

/** A bedside monitor on MQTT 3.1.1 with QoS 1: keeps what was not acknowledged and sends it again on its next connection. */
export class DeviceClient implements AsyncDisposable {
  readonly #client: MqttClient
  readonly device: string
  acknowledged = 0

  private constructor (client: MqttClient, device: string) {
    this.#client = client
    this.device = device
    client.on('error', () => undefined)
  }

  /** `reconnectMs` 0: a lost connection stays lost. */
  static async open (port: number, device: string, reconnectMs = 100): Promise<DeviceClient> {
    const client = mqtt.connect({ host: '127.0.0.1', port, protocol: 'mqtt', clientId: `test-${device}`, clean: false, reconnectPeriod: reconnectMs, keepalive: 30, resubscribe: false })
    await new Promise<void>((resolve, reject) => { client.once('connect', () => { resolve() }); client.once('error', reject) })
    return new DeviceClient(client, device)
  }

  get connected (): boolean { return this.#client.connected }

  /** Resolves when the broker has acknowledged. */
  publish (channel: 'numerics' | 'association' | 'status', payload: unknown): Promise<void> { return this.publishTo(`latido/devices/${this.device}/${channel}`, payload) }

  publishTo (topic: string, payload: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 }, error => {
        if (error != null) { reject(error); return }
        this.acknowledged++
        resolve()
      })
    })
  }

  async [Symbol.asyncDispose] (): Promise<void> { await this.#client.endAsync(true).catch(() => undefined) }
}
