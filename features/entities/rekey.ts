import type { StateMachine } from '../../streams/engine/index.ts'
import type { BedsideEvent, EncounterEvent, ObservationSet } from '../../streams/events/index.ts'
import type { EventTimeMs } from '../../streams/time/index.ts'
import type { Entity } from '../define/index.ts'

/** An event for another entity than its patient: `device:mqtt:monitor-07`, `encounter:PSEUDONYM.ADMITTED` (milliseconds since 1970). */
export interface Rekeyed { readonly to: string, readonly event: ObservationSet | EncounterEvent }

export interface RekeyState { readonly patient: string, admittedAt: EventTimeMs }

const NEVER = -1

/**
 * Tells each device its numerics, whoever wears it, and each encounter what comes between its admission and the next. An encounter that was
 * merged away ends there; its patient's later records are the survivor's.
 */
export function rekeyMachine (entities: ReadonlySet<Entity>): StateMachine<RekeyState, BedsideEvent, Rekeyed> {
  const [devices, encounters] = [entities.has('device'), entities.has('encounter')]
  return {
    name: `rekey ${[...entities].sort().join(' ')}`,
    empty: patient => ({ patient, admittedAt: NEVER }),
    step: (state, input, emit) => {
      if (input.kind === 'tick') return
      const event = input.value
      if (event.type !== 'observations' && event.type !== 'encounter') return
      if (event.type === 'encounter' && event.action === 'admit') state.admittedAt = event.eventTime
      if (devices && event.type === 'observations' && event.kind === 'device') emit({ to: `device:${event.source}`, event })
      if (encounters && state.admittedAt !== NEVER) emit({ to: `encounter:${state.patient}.${state.admittedAt}`, event })
    },
    nextDue: () => undefined,
    isEmpty: ({ admittedAt }) => admittedAt === NEVER,
    codec: { version: 1, encode: state => Buffer.from(JSON.stringify(state)), decode: bytes => JSON.parse(bytes.toString()) as RekeyState },
  }
}
