import { connect, type Socket } from 'node:net'
import mqttPacket from 'mqtt-packet'
import type { Packet } from 'mqtt-packet'

const CONNECT_TOGETHER = 50

/**
 * Many monitors over one MQTT 3.1.1 connection each, QoS 1, at the least cost to the machine that is measured: packets are written
 * as they are due and acknowledgements counted. A connection that ends is a failure: nothing is sent again.
 */
export class DeviceFleet implements Disposable {
  readonly #sockets: readonly Socket[]
  sent = 0
  acknowledged = 0
  failures = 0

  private constructor (sockets: readonly Socket[]) {
    this.#sockets = sockets
  }

  static async open (port: number, devices: number): Promise<DeviceFleet> {
    const sockets: Socket[] = []
    const fleet = new DeviceFleet(sockets)
    for (let first = 0; first < devices; first += CONNECT_TOGETHER) {
      const group = Array.from({ length: Math.min(CONNECT_TOGETHER, devices - first) }, (_, i) => fleet.#connect(port, first + i))
      sockets.push(...await Promise.all(group))
    }
    return fleet
  }

  publish (device: number, payload: string): void {
    const topic = `latido/devices/${nameOf(device)}/numerics`
    this.sent++
    this.#sockets[device]!.write(mqttPacket.generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId: this.sent % 65_535 + 1 }))
  }

  #connect (port: number, device: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      const parser = mqttPacket.parser()
      parser.on('packet', (packet: Packet) => {
        if (packet.cmd === 'puback') this.acknowledged++
        if (packet.cmd === 'connack') resolve(socket)
      })
      socket.on('data', chunk => { parser.parse(chunk) })
      socket.on('error', reject)
      socket.on('close', () => { this.failures++ })
      socket.write(mqttPacket.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: nameOf(device), keepalive: 0 }))
    })
  }

  [Symbol.dispose] (): void { for (const socket of this.#sockets) socket.destroy() }
}

function nameOf (device: number): string { return `bench-${device}` }
