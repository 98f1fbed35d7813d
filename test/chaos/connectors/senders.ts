import { connect, type MqttClient } from 'mqtt'
import { Line } from '../../../connectors/hl7/line.ts'
import { formatTime } from '../../../connectors/hl7/index.ts'
import { systemClock } from '../../../streams/time/index.ts'

/** What was sent, by the name under which it must stand in the log, and what of it was acknowledged. */
export interface Ledger { readonly sent: Set<string>, readonly acknowledged: Set<string> }

/** Sends until it is told to stop; then finishes what it has begun. */
export interface Sender { stop (): Promise<void> }

const ANSWER_MS = 3_000
const PAUSE_MS = 20
const IN_FLIGHT = 20

/** One laboratory: the next result when the last is answered AA, as often as it takes, on a new connection each time it fails. */
export function laboratory (name: string, port: number, ledger: Ledger): Sender {
  const stop = new AbortController()
  const run = async (): Promise<void> => {
    const line = new Line({ host: '127.0.0.1', port, tls: undefined, timeoutMs: ANSWER_MS, clock: systemClock, signal: undefined })
    for (let n = 0; !stop.signal.aborted; n++) {
      const order = `${name}-${n}`
      const at = formatTime(systemClock.now() - 60_000)
      const message = Buffer.from(`MSH|^~\\&|${name}|CHAOS|||${at}||ORU^R01^ORU_R01|${order}|P|2.5.1\rPID|1||PATIENT-${name}-${n % 3}^^^^MR\rOBR|1||${order}|X^X^L|||${at}\rOBX|1|NM|2524-7^Lactate^LN||${1 + n % 10}|mmol/L|||||F\r`)
      ledger.sent.add(`hl7 ${order}`)
      while (!(await line.exchange(message).catch(() => undefined))?.includes('MSA|AA')) {
        line.close()
        await systemClock.sleep(PAUSE_MS)
      }
      ledger.acknowledged.add(`hl7 ${order}`)
    }
    line.close()
  }
  const running = run()
  return { stop: async () => { stop.abort(); await running } }
}

/** One monitor: QoS 1, some messages on their way at once, a session that outlives its connections. */
export function monitor (name: string, port: number, startMs: number, ledger: Ledger): Sender {
  const client: MqttClient = connect({ host: '127.0.0.1', port, clientId: name, clean: false, reconnectPeriod: 50, connectTimeout: 20_000, keepalive: 2 })
  client.on('error', () => {})
  const stop = new AbortController()
  const onWay = new Set<Promise<void>>()
  const run = async (): Promise<void> => {
    for (let n = 0; !stop.signal.aborted; n++) {
      while (onWay.size >= IN_FLIGHT) await Promise.race(onWay)
      const time = startMs + n
      const key = `mqtt ${name} ${time}`
      ledger.sent.add(key)
      const sent: Promise<void> = client.publishAsync(`latido/devices/${name}/numerics`, JSON.stringify({ time, seq: n, patient: `PATIENT-${name}`, numerics: [{ code: 'HR', value: 60 + n % 20, unit: 'bpm' }] }), { qos: 1 })
        .then(() => { ledger.acknowledged.add(key) }, () => {}).finally(() => { onWay.delete(sent) })
      onWay.add(sent)
      await systemClock.sleep(5)
    }
    await Promise.all(onWay)
  }
  const running = run()
  return { stop: async () => { stop.abort(); await running; await client.endAsync(true) } }
}
