import { LatidoError } from '../errors/index.ts'
import { parseDuration, type Duration, type DurationMs } from '../time/index.ts'
import type { Aggregates } from './aggregate.ts'
import type { Emission } from './emission.ts'
import type { OperatorDefinition } from './operator.ts'
import { sessionOperator } from './sessions.ts'
import { slidingOperator } from './sliding.ts'
import { hoppingOperator } from './tiles.ts'

/** Windows with everything said: which fields they read, what they tell. Answers of `onClose`, `onReading`, and their kin. */
export interface WindowMachine<EventTime extends string = string, Value extends string = string, Names extends string = string> {
  readonly kind: 'windows'
  readonly eventTime: EventTime
  readonly value: Value
  readonly operator: OperatorDefinition
  /** Only for the types: the names of the aggregates. */
  readonly names?: Names
}

/** `corrections`: how long after a window closed a late reading still emits a revision of it; then it goes to the late output. */
export interface OnClose { readonly corrections?: Duration }
/** `every`: answers each nth reading of a key. */
export interface OnReading { readonly every?: number }

/** When it speaks. */
export interface AsOf<E extends string, V extends string, A> { onReading (options?: OnReading): WindowMachine<E, V, keyof A & string> }
export interface AsOfOrClosed<E extends string, V extends string, A> extends AsOf<E, V, A> { onClose (options?: OnClose): WindowMachine<E, V, keyof A & string> }

/** Windows that close: they speak once closed, or on each reading. */
export interface ClosingWindows { eventTime<const E extends string> (field: E): { of<const V extends string> (field: V): { aggregate<A extends Aggregates> (aggregates: A): AsOfOrClosed<E, V, A> } } }
/** Windows that end at a reading: there is nothing to wait for. */
export interface AsOfWindows { eventTime<const E extends string> (field: E): { of<const V extends string> (field: V): { aggregate<A extends Aggregates> (aggregates: A): AsOf<E, V, A> } } }

/** Windows of `size`, one after the other. */
export function tumbling (options: { readonly size: Duration, readonly grace?: Duration }): ClosingWindows { return hopping({ ...options, every: options.size }) }

/** Windows of `size`, one beginning at each multiple of `every` since 1970. A reading is in size/every of them. */
export function hopping (options: { readonly size: Duration, readonly every: Duration, readonly grace?: Duration }): ClosingWindows {
  const sizeMs = positive('size', options.size)
  const everyMs = positive('every', options.every)
  const graceMs = graceOf(options.grace)
  if (everyMs > sizeMs) throw new LatidoError('CONFIG_INVALID', `windows of ${options.size} each ${options.every} leave readings out`, 'let every be at most size')
  return timed((emission, correctionsMs, aggregates) => hoppingOperator({ sizeMs, everyMs, graceMs, correctionsMs, emission }, aggregates))
}

/** A window that ends at each reading and covers the `size` before it. */
export function sliding (options: { readonly size: Duration, readonly grace?: Duration }): AsOfWindows {
  const sizeMs = positive('size', options.size)
  const graceMs = graceOf(options.grace)
  return timed((emission, _corrections, aggregates) => slidingOperator({ sizeMs, graceMs, every: emission.kind === 'reading' ? emission.every : 1 }, aggregates))
}

/** Readings that follow one another within less than `gap`. */
export function session (options: { readonly gap: Duration, readonly grace?: Duration }): ClosingWindows {
  const gapMs = positive('gap', options.gap)
  const graceMs = graceOf(options.grace)
  return timed((emission, correctionsMs, aggregates) => sessionOperator({ gapMs, graceMs, correctionsMs, emission }, aggregates))
}

function timed (operator: (emission: Emission, correctionsMs: DurationMs, aggregates: Aggregates) => OperatorDefinition): ClosingWindows {
  return {
    eventTime: eventTime => ({
      of: value => ({
        aggregate: aggregates => ({
          onClose: ({ corrections } = {}) => ({ kind: 'windows', eventTime, value, operator: operator({ kind: 'close' }, graceOf(corrections), aggregates) }),
          onReading: ({ every = 1 } = {}) => ({ kind: 'windows', eventTime, value, operator: operator({ kind: 'reading', every: whole(every) }, 0, aggregates) }),
        }),
      }),
    }),
  }
}

function positive (name: string, duration: Duration): DurationMs {
  const ms = parseDuration(duration)
  if (ms > 0 && Number.isInteger(ms)) return ms
  throw new LatidoError('CONFIG_INVALID', `${name} is "${duration}"`, 'let it be a whole number of milliseconds above 0')
}

function graceOf (duration: Duration | undefined): DurationMs { return duration === undefined ? 0 : Math.ceil(parseDuration(duration)) }

function whole (every: number): number {
  if (Number.isInteger(every) && every > 0) return every
  throw new LatidoError('CONFIG_INVALID', `every ${every} readings`, 'let it be a whole number above 0')
}
