/** Avro by position: flyweights over bytes, writers into scratch, and bytes interned. */
export { compileFlyweight } from './flyweight.ts'
export type { Flyweight, FlyweightClass, FlyweightOf, Items, Layout } from './types.ts'
export { compileEncoder } from './encoder.ts'
export type { Encoder, EncoderClass, EncoderOf, ItemEncoder } from './encoder-types.ts'
export type { AvroField, AvroRecord, AvroSchema } from './schema.ts'
/** Byte ranges to dense numbers, and to strings. */
export { KeyInterner } from './key-interner.ts'
export { StringInterner } from './string-interner.ts'
