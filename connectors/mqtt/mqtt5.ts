import { randomUUID } from 'node:crypto'
import { generate, parser } from 'mqtt-packet'
import type { IConnackPacket, IConnectPacket, Packet, Parser } from 'mqtt-packet'

/** CONNACK return codes of MQTT 3.1.1 as reason codes of MQTT 5 (table 3-1). */
const REASON_OF_RETURN_CODE: readonly number[] = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87]
const UNSPECIFIED_ERROR = 0x80
const DISCONNECT_WITH_WILL = 0x04
const UNSUBSCRIBES_MAX = 1_024

/**
 * Lets an MQTT 5 client talk to the embedded broker, which speaks 3.1.1: the two differ, for a device that publishes, only in
 * properties and reason codes. Not offered, and said so in CONNACK: topic aliases, shared subscriptions, subscription
 * identifiers; an authentication exchange (AUTH) ends the connection. Message expiry and user properties are dropped.
 */
export class Mqtt5Translator {
  readonly #device: Parser
  readonly #broker: Parser
  readonly #packetBytesMax: number
  readonly #unsubscribes = new Map<number, number>()
  #out: Buffer[] = []
  #assignedClientId: string | undefined
  #end: 'none' | 'will' | 'fault' = 'none'

  constructor (packetBytesMax: number) {
    this.#packetBytesMax = packetBytesMax
    this.#device = parser({ protocolVersion: 5 })
    this.#broker = parser({ protocolVersion: 4 })
    this.#device.on('packet', (packet: Packet) => { const translated = this.#inbound(packet); if (translated !== undefined) this.#out.push(generate(translated, { protocolVersion: 4 })) })
    this.#broker.on('packet', (packet: Packet) => { this.#out.push(generate(this.#outbound(packet), { protocolVersion: 5 })) })
    for (const one of [this.#device, this.#broker]) one.on('error', () => { this.#end = 'fault' })
  }

  /** Not `none`: behind the bytes that were translated the connection is to be cut, and the broker then publishes the will. */
  get end (): 'none' | 'will' | 'fault' { return this.#end }

  /** 3.1.1 bytes for the broker. */
  toBroker (chunk: Buffer): Buffer { return this.#through(this.#device, chunk) }

  /** MQTT 5 bytes for the device. */
  toDevice (chunk: Buffer): Buffer { return this.#through(this.#broker, chunk) }

  #through (side: Parser, chunk: Buffer): Buffer {
    side.parse(chunk)
    const bytes = Buffer.concat(this.#out)
    this.#out = []
    return bytes
  }

  #inbound (packet: Packet): Packet | undefined {
    if (this.#end !== 'none') return undefined
    switch (packet.cmd) {
      case 'connect': return this.#connect(packet)
      case 'disconnect':
        if (packet.reasonCode !== DISCONNECT_WITH_WILL) return packet
        this.#end = 'will'
        return undefined
      case 'auth': this.#end = 'fault'; return undefined
      case 'unsubscribe':
        if (this.#unsubscribes.size < UNSUBSCRIBES_MAX) this.#unsubscribes.set(packet.messageId ?? 0, packet.unsubscriptions.length)
        return packet
      default: return packet
    }
  }

  /** A session that does not outlive its connection is a clean one in 3.1.1. */
  #connect (packet: IConnectPacket): Packet | undefined {
    if (packet.properties?.authenticationMethod !== undefined) { this.#end = 'fault'; return undefined }
    if (packet.clientId === '') this.#assignedClientId = `latido-${randomUUID()}`
    const expiryS = packet.properties?.sessionExpiryInterval ?? 0
    return { ...packet, clientId: this.#assignedClientId ?? packet.clientId, protocolVersion: 4, clean: packet.clean === true || expiryS === 0 }
  }

  #outbound (packet: Packet): Packet {
    switch (packet.cmd) {
      case 'connack': return this.#connack(packet)
      case 'puback': case 'pubrec': case 'pubrel': case 'pubcomp': return { ...packet, reasonCode: 0 }
      case 'unsuback': {
        const topics = this.#unsubscribes.get(packet.messageId ?? 0) ?? 1
        this.#unsubscribes.delete(packet.messageId ?? 0)
        return { ...packet, granted: Array.from({ length: topics }, () => 0) }
      }
      default: return packet
    }
  }

  #connack (packet: IConnackPacket): Packet {
    const returnCode = packet.returnCode ?? 0
    if (returnCode !== 0) return { cmd: 'connack', sessionPresent: false, reasonCode: REASON_OF_RETURN_CODE[returnCode] ?? UNSPECIFIED_ERROR }
    return {
      cmd: 'connack', sessionPresent: packet.sessionPresent, reasonCode: 0,
      properties: {
        maximumPacketSize: this.#packetBytesMax, sharedSubscriptionAvailable: false, subscriptionIdentifiersAvailable: false,
        ...(this.#assignedClientId === undefined ? {} : { assignedClientIdentifier: this.#assignedClientId }),
      },
    }
  }
}
