import { systemClock } from '../../../streams/time/index.ts'
import type { SeededRandom } from '../../kit/random.ts'
import { DeviceClient } from './device.ts'
import { admission, chartedSet, DETERIORATED, STABLE } from './messages.ts'
import { codeOf, MllpClient } from './mllp.ts'

const RETRY_MS = 50

/** Messages that were acknowledged, by what identifies them in the log. */
export type Acknowledged = Set<string>

/** A hospital system: admits its patients, then charts for them in turn; what gets no answer is sent again, the same message, for as long as it takes. */
export async function runHospital (name: string, port: number, random: SeededRandom, acknowledged: Acknowledged, signal: AbortSignal): Promise<void> {
  const patients = [1, 2, 3].map(n => `${name}-${n}`)
  let line: MllpClient | undefined
  for (let n = 0; !signal.aborted; n++) {
    const patient = patients[n % patients.length]!
    const id = `${name}:${n}`
    const message = n < patients.length ? admission(id, patient, `${name}${n}`, systemClock.now()) : chartedSet(id, patient, random.chance(0.3) ? DETERIORATED : STABLE, systemClock.now())
    for (let answer = ''; answer !== 'AA';) {
      line = line?.closed === false ? line : await MllpClient.open(port).catch(() => undefined)
      answer = codeOf(await line?.exchange(message) ?? '')
      if (answer !== 'AA') await systemClock.sleep(RETRY_MS)
    }
    acknowledged.add(id)
    await systemClock.sleep(5 + random.below(20))
  }
  line?.[Symbol.dispose]()
}

/** A monitor at 25 Hz on one patient, QoS 1; the client sends again what was not acknowledged. Now and then the patient deteriorates for a while. */
export async function runMonitor (name: string, port: number, random: SeededRandom, acknowledged: Acknowledged, signal: AbortSignal): Promise<void> {
  await using client = await DeviceClient.open(port, name)
  const waiting = new Set<Promise<void>>()
  let ill = false
  for (let seq = 0, last = 0; !signal.aborted; seq++) {
    if (random.chance(0.01)) ill = !ill
    const time = last = Math.max(systemClock.now(), last + 1)
    const numerics = [{ code: '147842', value: ill ? 135 : 75, unit: '/min' }, { code: '151562', value: ill ? 28 : 14, unit: '/min' }, { code: '150456', value: ill ? 89 : 98, unit: '%' }]
    const sent = client.publish('numerics', { patient: `${name}-patient`, time, seq, numerics }).then(() => { acknowledged.add(`${name}:${time}`) }, () => undefined)
    waiting.add(sent)
    void sent.finally(() => { waiting.delete(sent) })
    await systemClock.sleep(40)
  }
  await Promise.all(waiting)
}
