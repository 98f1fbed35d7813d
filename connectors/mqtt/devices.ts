import type { ArrivalTimeMs, DurationMs, EventTimeMs } from '../../streams/time/index.ts'
import type { ClockDistance, DeviceClock, DeviceClocks, KeptTable } from '../kit/index.ts'
import { DeviceHistory, type DeviceRow } from './associations.ts'
import { ClockOffset, distanceOf, looksLike, OFFSET_MS_MIN } from './clock-offset.ts'
import { NO_SERIES, type SeriesState } from './judge.ts'
import type { Association, DeviceOptions } from './options.ts'

/** How far the newest reading of a device may run ahead of what is on disk of it. */
const NEWEST_SAVED_EACH_MS: DurationMs = 60_000
/** An association that says no beginning, of a device that has sent nothing yet, also holds for readings of this long before. */
const ASSOCIATION_LEAD_MS: DurationMs = 300_000

/** The estimate of a clock is kept when it has moved by this much, and else each so often: when it was heard is to be about right. */
const CLOCK_SAVED_BY_MS: DurationMs = 1_000
const CLOCK_SAVED_EACH_MS: DurationMs = 900_000
/** A device that was silent for longer is somewhere in a cupboard: its clock is nobody's concern. */
const HEARD_WITHIN_MS: DurationMs = 86_400_000
const WORST_CLOCKS_MAX = 20

export type DeviceState = 'online' | 'offline' | 'lost'

interface Device {
  history: DeviceHistory
  clock: ClockOffset
  savedNewest: EventTimeMs
  savedClock: { readonly estimate: DurationMs | undefined, readonly at: ArrivalTimeMs } | undefined
  state: DeviceState | undefined
  series: SeriesState
  taken: SeriesState
}

/**
 * What is known of each device: whom it measured when, how far its clock is off, what it last said. One a feed; bounded by `devicesMax`: of devices that
 * nobody associated the one that was silent longest (to about a minute) goes first. The mapper reads and moves it; the same messages in the same order leave the same.
 */
export class Devices {
  readonly #options: Pick<DeviceOptions, 'devicesMax' | 'associations'>
  readonly #devices = new Map<string, Device>()
  /** Whose last messages are not in the log yet. */
  readonly #unsure = new Set<Device>()
  #memory: KeptTable<DeviceRow | Association> | undefined
  /** While a message is mapped that a broker had kept. */
  isKept = false

  constructor (options: Pick<DeviceOptions, 'devicesMax' | 'associations'>) { this.#options = options }

  get size (): number { return this.#devices.size }

  /** Reads what was known before the process began. Configured associations hold from ever, and until something newer is said. */
  open (memory: KeptTable<DeviceRow | Association> | undefined): void {
    this.#memory = memory
    for (const [name, row] of memory?.load() ?? []) {
      const device = this.#make(name)
      device.history = new DeviceHistory(row)
      device.savedNewest = device.history.newest
      if (!('spans' in row) || row.clock === undefined) continue
      device.clock = new ClockOffset(row.clock)
      device.savedClock = { estimate: device.clock.estimate, at: row.clock.heardAt }
    }
    for (const [name, who] of Object.entries(this.#options.associations)) this.#make(name).history.say({ from: -Infinity, to: Infinity, who })
  }

  /** Whom the device measured at that moment. */
  associationAt (name: string, at: EventTimeMs): Association | undefined { return this.#devices.get(name)?.history.at(at) }

  /**
   * In effect at once; resolves when it will outlive the process. Without `from` it begins at the newest reading that came before it, since messages of
   * a device come in order. False where there is no room for another device.
   */
  async associate (name: string, { who, from, to = Infinity }: { readonly who: Association | undefined, readonly from?: EventTimeMs | undefined, readonly to?: EventTimeMs | undefined }, now: ArrivalTimeMs): Promise<boolean> {
    const known = this.#devices.get(name)
    if (known === undefined && who === undefined) return true
    const device = known ?? this.#room(name)
    if (device === undefined) return false
    const { newest } = device.history
    device.history.say({ from: from ?? (newest === -Infinity ? now - ASSOCIATION_LEAD_MS : newest), to, who })
    await this.#save(name, device)
    return true
  }

  /** A time that the device gave, before anything is done to it. */
  sawTime (name: string, eventTime: EventTimeMs, arrival: ArrivalTimeMs): void {
    if (this.isKept) return
    const device = this.#touch(name)
    if (!device.clock.add(eventTime, arrival)) return
    this.#devices.delete(name) // to the end: the first is the one that was silent longest
    this.#devices.set(name, device)
    const { clock: { estimate }, savedClock } = device
    if (estimate === undefined || (savedClock?.estimate !== undefined && Math.abs(estimate - savedClock.estimate) < CLOCK_SAVED_BY_MS && arrival - savedClock.at < CLOCK_SAVED_EACH_MS)) return
    void this.#save(name, device).catch(() => {}) // as below: what is lost of it is known again after three minutes
  }

  clockOffset (name: string): DurationMs | undefined { return this.#devices.get(name)?.clock.estimate }

  /** A reading of that time, as it is published. */
  sawReading (name: string, at: EventTimeMs): void {
    const device = this.#touch(name)
    if (at <= device.history.newest) return
    device.history.newest = at
    if (device.history.empty || at - device.savedNewest < NEWEST_SAVED_EACH_MS) return
    device.savedNewest = at
    void this.#save(name, device).catch(() => {}) // the table's own failure shows when an association is kept; a stale one here only costs a dead letter
  }

  series (name: string): SeriesState { return this.#devices.get(name)?.series ?? NO_SERIES }

  /** What the device's series are after a message that may not reach the log. */
  stage (name: string, series: SeriesState): void {
    const device = this.#touch(name)
    device.series = series
    this.#unsure.add(device)
  }

  /** The log has the message after which `series` held. */
  taken (name: string, series: SeriesState): void {
    const device = this.#devices.get(name)
    if (device === undefined) return
    device.taken = series
    if (device.series === series) this.#unsure.delete(device)
  }

  /** A message did not reach the log and will come again, with all behind it: they are judged as the first time. */
  rollBack (): void {
    for (const device of this.#unsure) device.series = device.taken
    this.#unsure.clear()
  }

  setState (name: string, state: DeviceState): void { this.#touch(name).state = state }

  stateOf (name: string): DeviceState | undefined { return this.#devices.get(name)?.state }
  /** The one that was silent longest first. */
  names (): readonly string[] { return [...this.#devices.keys()] }

  /** Of those that were heard in the last day. */
  clocks (now: ArrivalTimeMs): DeviceClocks {
    const byDistance: Record<ClockDistance, number> = { inStep: 0, seconds: 0, minutes: 0, hours: 0, days: 0, unknown: 0 }
    const out: DeviceClock[] = []
    for (const [device, { clock: { estimate, heardAt } }] of this.#devices) {
      if (now - heardAt > HEARD_WITHIN_MS) continue
      byDistance[distanceOf(estimate)]++
      if (estimate !== undefined && Math.abs(estimate) >= OFFSET_MS_MIN) out.push({ device, offsetMs: Math.round(estimate), looks: looksLike(estimate), heardAt })
    }
    return { byDistance, worst: out.sort((a, b) => Math.abs(b.offsetMs) - Math.abs(a.offsetMs)).slice(0, WORST_CLOCKS_MAX) }
  }

  #touch (name: string): Device { return this.#devices.get(name) ?? this.#room(name) ?? this.#make(name) }

  /** Makes the device, where need be in the place of one that nobody associated. */
  #room (name: string): Device | undefined {
    if (this.#devices.size < this.#options.devicesMax) return this.#make(name)
    for (const [other, device] of this.#devices) {
      if (!device.history.empty) continue
      this.#devices.delete(other)
      if (device.savedClock !== undefined) void this.#memory?.save(other, undefined).catch(() => {})
      this.#unsure.delete(device)
      return this.#make(name)
    }
    return undefined
  }

  #make (name: string): Device {
    let device = this.#devices.get(name)
    if (device === undefined) {
      device = { history: new DeviceHistory(), clock: new ClockOffset(), savedNewest: -Infinity, savedClock: undefined, state: undefined, series: NO_SERIES, taken: NO_SERIES }
      this.#devices.set(name, device)
    }
    return device
  }

  async #save (name: string, device: Device): Promise<void> {
    const { history, clock } = device
    const said = clock.estimate === undefined ? undefined : clock.row
    device.savedClock = said === undefined ? undefined : { estimate: clock.estimate, at: said.heardAt }
    await this.#memory?.save(name, history.empty && said === undefined ? undefined : { ...history.row, ...said === undefined ? {} : { clock: said } })
  }
}

const byOptions = new WeakMap<object, Devices>()

/** The devices of the feed that has these options: its mapper and its running connector share them. */
export function devicesOf (options: DeviceOptions): Devices {
  let devices = byOptions.get(options)
  if (devices === undefined) { devices = new Devices(options); byOptions.set(options, devices) }
  return devices
}
