import type { AvroField } from './schema.ts'

/** What every encoder has. */
export interface Encoder {
  /** The scratch that values are written into, from 0; another one after it had to grow. */
  readonly buffer: Buffer
  /** Begins a value: Confluent's five bytes with the schema's id. */
  begin (schemaId: number): this
  /** Ends the value and answers where: its bytes are `buffer[0, end)` until the next `begin`. Throws PAYLOAD_INVALID where a field is missing. */
  finish (): number
}

type Fields<S> = S extends { readonly fields: infer F extends readonly AvroField[] } ? F[number] : never
type NumberName = 'int' | 'long' | 'float' | 'double'
type Null<T> = T extends readonly [infer A, infer B] ? A extends 'null' ? B : B extends 'null' ? A : never : never
type Bare<T> = T extends readonly unknown[] ? Bare<Null<T>> : T extends { readonly type: infer Inner } ? Inner extends 'record' | 'array' | 'enum' | 'fixed' ? T : Bare<Inner> : T

/** What a field's method takes: a number (an enum's place), a text, how many items an array has, or nothing for a record. */
type Method<T, Self> =
  T extends NumberName ? (value: number) => Self
    : T extends 'boolean' ? (value: boolean) => Self
      : T extends 'string' ? (text: string) => Self
        : T extends { readonly type: 'enum' } ? (place: number) => Self
          : T extends { readonly type: 'array', readonly items: infer I } ? (count: number) => ItemEncoder<I>
            : T extends { readonly type: 'record' } ? () => PartsOf<Fields<T>>
              : never
type HasText<T> = T extends 'boolean' | NumberName | 'string' | { readonly type: 'enum' | 'array' | 'record' } ? true : false
type HasBytes<T> = T extends 'string' | 'bytes' | { readonly type: 'fixed' } ? true : false

type PartsOf<F extends { readonly name: string, readonly type: unknown }> =
  { [X in F as HasText<Bare<X['type']>> extends true ? X['name'] : never]: Method<Bare<X['type']>, PartsOf<F>> }
  & { [X in F as HasBytes<Bare<X['type']>> extends true ? `${X['name']}Bytes` : never]: (buffer: Buffer, start: number, end: number) => PartsOf<F> }
  & { [X in F as X['type'] extends readonly unknown[] ? `${X['name']}Null` : never]: () => PartsOf<F> }

/** Writes the items of an array: `item()` before the fields of each, as often as was said. */
export type ItemEncoder<I> = I extends { readonly type: 'record' } ? { item (): PartsOf<Fields<I>> } : { item (): PartsOf<{ readonly name: 'value', readonly type: I }> }

/** The encoder of a record's schema that was declared `as const`. */
export type EncoderOf<S> = Encoder & PartsOf<Fields<S>>
export interface EncoderClass<S> { new (): EncoderOf<S> }
