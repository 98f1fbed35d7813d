import type { Clock } from '../../streams/time/index.ts'
import { MllpSender } from './mllp.ts'
import type { MllpCounts } from './mllp.ts'
import { MonitorLink } from './monitor-link.ts'
import type { MonitorCounts } from './monitor-link.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'
import { wardSteps } from './ward-steps.ts'
import type { WardStep } from './ward-step.ts'

export interface Endpoint { readonly host: string, readonly port: number }

export interface SimulatorOptions {
  readonly clock: Clock
  readonly random: Random
  readonly hl7: Endpoint
  readonly mqtt: Endpoint
  /** Beds, all taken at the start. */
  readonly patients?: number
  /** Simulated seconds in a real second: 60 makes an hour pass in a minute. */
  readonly speed?: number
  readonly scenario?: Scenario
  readonly signal?: AbortSignal
}

export const SIMULATOR_DEFAULTS: { readonly patients: number, readonly speed: number, readonly scenario: Scenario } = { patients: 12, speed: 1, scenario: 'ward' }

export interface Simulator extends AsyncDisposable {
  readonly name: string
  readonly endpoint: string
  readonly hl7: Readonly<MllpCounts>
  readonly monitors: Readonly<MonitorCounts>
  /** Resolves when it has stopped: by the signal, or by disposing. */
  readonly finished: Promise<void>
}

/** After a pause of the machine, numerics older than this are not sent any more. */
const STALE_AFTER_MS = 10_000

/** Starts a ward that sends to the endpoints like any other device: over sockets, and with the real time as event time. */
export function runSimulator (options: SimulatorOptions): Simulator {
  const { clock, random, hl7, mqtt, patients = SIMULATOR_DEFAULTS.patients, speed = SIMULATOR_DEFAULTS.speed, scenario = SIMULATOR_DEFAULTS.scenario } = options
  const stop = new AbortController()
  const onAbort = (): void => { stop.abort() }
  if (options.signal?.aborted === true) stop.abort(); else options.signal?.addEventListener('abort', onAbort, { once: true })
  const sender = new MllpSender(hl7.host, hl7.port, clock)
  const counts: MonitorCounts = { sent: 0, acknowledged: 0, dropped: 0 }
  const links = new Map<string, MonitorLink>()
  const linkOf = (device: string): MonitorLink => {
    const link = links.get(device) ?? new MonitorLink(mqtt.host, mqtt.port, device, counts)
    links.set(device, link)
    return link
  }
  const send = (step: WardStep): void => {
    switch (step.kind) {
      case 'hl7': sender.send(step.controlId, step.text); break
      case 'association': linkOf(step.device).associate(step.payload); break
      case 'numerics': if (clock.now() - step.dueMs > STALE_AFTER_MS) counts.dropped++; else linkOf(step.device).numerics(step.payload)
    }
  }
  const steps = wardSteps({ random, startMs: clock.now(), patients, speed, scenario })
  const finished = Promise.all([play(steps, clock, send, stop.signal), sender.run(stop.signal)]).then(async () => {
    options.signal?.removeEventListener('abort', onAbort)
    await Promise.all([...links.values()].map(link => link.close()))
  })
  return {
    name: 'simulator', endpoint: '', hl7: sender.counts, monitors: counts, finished,
    async [Symbol.asyncDispose] () { stop.abort(); await finished },
  }
}

/** So many steps, then the event loop has its turn: after a pause of the machine many are due at once. */
const STEPS_AT_ONCE_MAX = 500

async function play (steps: Iterator<WardStep>, clock: Clock, send: (step: WardStep) => void, signal: AbortSignal): Promise<void> {
  let atOnce = 0
  while (!signal.aborted) {
    const { value } = steps.next()
    const step = value as WardStep
    if (++atOnce > STEPS_AT_ONCE_MAX) { atOnce = 0; await clock.sleep(1, signal) }
    // Timers may fire a millisecond early, and an event must not lie in the future.
    for (let waitMs = step.dueMs - clock.now(); waitMs > 0 && !signal.aborted; waitMs = step.dueMs - clock.now()) { atOnce = 0; await clock.sleep(waitMs, signal) }
    if (!signal.aborted) send(step)
  }
}
