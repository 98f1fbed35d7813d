import type { AvroField } from './schema.ts'

/** What every flyweight has. Its numbers and ranges are valid until the next `over`. */
export interface Flyweight {
  /** The bytes that `<name>Start` and `<name>End` are places in: those it was laid over, or its own where they had to be written again for this schema. */
  readonly buffer: Buffer
  /** Lays it over one value, `[start, end)`. Throws PAYLOAD_INVALID when the bytes end early or go on; it then holds nothing of use. */
  over (buffer: Buffer, start: number, end: number, layout?: Layout): void
}

/** How bytes of one writer's schema are read; of `FlyweightClass.layoutOf`. */
export interface Layout {
  readonly positional: boolean
  /** Internal: lays `target` over bytes and answers where they end. */
  read (target: object, buffer: Buffer, start: number, end: number): number
}

/** A flyweight that moves over the items of an array. Items that are no records have their value in `value`. */
export interface Items {
  /** Moves to the next item; false behind the last. */
  next (): boolean
  /** Goes back before the first item. */
  rewind (): void
}

type Fields<S> = S extends { readonly fields: infer F extends readonly AvroField[] } ? F[number] : never
type NumberName = 'boolean' | 'int' | 'long' | 'float' | 'double'
type Null<T> = T extends readonly [infer A, infer B] ? A extends 'null' ? B : B extends 'null' ? A : never : never

/** Numbers of every kind (boolean 0 or 1, an enum its place, null NaN), text, bytes, items, or a record's flyweight. */
type ValueOf<T> =
  T extends NumberName ? number
    : T extends 'string' ? string
      : T extends 'bytes' ? Buffer
        : T extends readonly unknown[] ? Null<T> extends 'string' ? string | null : Null<T> extends 'bytes' ? Buffer | null : ValueOf<Null<T>>
          : T extends { readonly type: 'enum' } ? number
            : T extends { readonly type: 'fixed' } ? Buffer
              : T extends { readonly type: 'array', readonly items: infer I } ? ItemsOf<I>
                : T extends { readonly type: 'record' } ? PartsOf<Fields<T>>
                  : T extends { readonly type: infer Inner } ? ValueOf<Inner>
                    : unknown
type ItemsOf<I> = Items & { readonly buffer: Buffer } & (I extends { readonly type: 'record' } ? PartsOf<Fields<I>> : PartsOf<{ readonly name: 'value', readonly type: I }>)

type IsRange<T> = T extends 'string' | 'bytes' | { readonly type: 'fixed' | 'string' | 'bytes' } ? true : false
type IsArray<T> = T extends { readonly type: 'array' } ? true : false
type IsNullRecord<T> = T extends readonly unknown[] ? Null<T> extends { readonly type: 'record' } ? true : false : false
type Bare<T> = T extends readonly unknown[] ? Null<T> : T

type PartsOf<F extends { readonly name: string, readonly type: unknown }> =
  { readonly [X in F as X['name']]: ValueOf<X['type']> }
  & { readonly [X in F as IsRange<Bare<X['type']>> extends true ? `${X['name']}Start` | `${X['name']}End` : never]: number }
  & { readonly [X in F as IsArray<Bare<X['type']>> extends true ? `${X['name']}Count` : never]: number }
  & { readonly [X in F as IsNullRecord<X['type']> extends true ? `${X['name']}Present` : never]: boolean }

/** The flyweight of a record's schema that was declared `as const`. */
export type FlyweightOf<S> = Flyweight & PartsOf<Fields<S>>

/** A generated class: one instance serves a whole stream. */
export interface FlyweightClass<S> {
  new (): FlyweightOf<S>
  /** How to read what was written with another version of the schema. Throws SCHEMA_INCOMPATIBLE where it cannot be read. */
  layoutOf (writer: unknown): Layout
}
