/** What people and programs say, read by its schema, and everything that is wrong with it in plain words. */
export { lineOfShapeFault, readShape, unknownName } from './read-shape.ts'
export type { ShapeFault, ShapeRead } from './read-shape.ts'
/** One fault as a sentence: for what JSON Schema has checked. */
export { sentenceOf } from './words.ts'
/** Whether such a sentence may repeat what was said. */
export type { Values } from './words.ts'
/** What somebody who mistyped a name may have meant. */
export { nearNames } from './near-names.ts'
