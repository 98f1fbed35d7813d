import { LatidoError } from '../../errors/index.ts'
import { inNullable } from './generate-class.ts'
import { nullableOf } from './plan.ts'
import { itemShape, shapeOf, unsupported, type AvroRecord, type RecordShape, type Shape } from './schema.ts'
import type { EncoderClass } from './encoder-types.ts'
import { WRITER_RUNTIME } from './writer-runtime.ts'

/** What an encoder has of its own. */
const OWN: ReadonlySet<string> = new Set(['begin', 'finish', 'buffer', 'end', 'constructor', '__proto__'])

/**
 * Generates the positional writer of a record's schema: a method a field, called in the schema's order (another order is a fault and throws),
 * each writing into one scratch buffer that grows. `begin()` starts a value with Confluent's five bytes, `finish()` answers its end.
 */
export function compileEncoder<const S extends AvroRecord> (schema: S): EncoderClass<S> {
  const shape = shapeOf(schema)
  const names: string[] = []
  const text = classText(shape, names, true)
  const make = new Function('fail', `${WRITER_RUNTIME}${text}return ${names[0]!}`) as (fail: (what: string) => never) => EncoderClass<S>
  return make(what => { throw new LatidoError('PAYLOAD_INVALID', `a ${shape.name} cannot be written: ${what}`, 'this is a fault of the processor that writes it') })
}

/** A field's methods; `step` is its place, `done` closes the array before it. */
interface Method { readonly name: string, readonly args: string, readonly body: string, readonly answer?: string }

function classText (shape: RecordShape, names: string[], outermost: boolean): string {
  const name = `Encoder${names.length}`
  names.push(name)
  const inner: string[] = []
  const subs: string[] = []
  const taken = new Set<string>(OWN)
  const methods = shape.fields.map((field, step) => {
    const enter = `    if (this.$step !== ${step}) order(this)\n${closeText(shape, step)}`
    return methodsOf(field.name, field.shape, sub => {
      const at = names.length
      inner.push(classText(sub, names, false))
      subs.push(`    this.$${field.name} = new ${names[at]!} (this.$out)\n`)
    }).map(m => {
      if (taken.has(m.name)) throw unsupported(`two methods of the writer of ${shape.name} would have the name ${m.name}`)
      taken.add(m.name)
      return `  ${m.name} (${m.args}) {\n${enter}${m.body}    this.$step = ${step + 1}\n    return ${m.answer ?? 'this'}\n  }\n`
    }).join('')
  }).join('')
  const last = shape.fields.length
  const close = `${closeText(shape, last)}`
  const frame = outermost
    ? `  get buffer () { return this.$out.b }\n  begin (id) { const o = this.$out; o.p = 0; o.need(5); o.frame(id); this.$step = 0; return this }\n  finish () {\n    if (this.$step !== ${last}) order(this)\n${close}    this.$step = -1\n    return this.$out.p\n  }\n`
    : `  $begin (items) { this.$items = items; this.$step = ${last}; this.$first = true }\n  item () {\n    if (this.$step !== ${last} || this.$items-- <= 0) order(this)\n    if (this.$first) this.$first = false\n    else {\n${close}    }\n    this.$step = 0\n    return this\n  }\n  $close () {\n    if (this.$step !== ${last} || this.$items !== 0) order(this)\n    if (!this.$first) {\n${close}    }\n    this.$step = -1\n  }\n`
  return `${inner.join('')}class ${name} {\n  constructor (out = new Scratch ()) {\n    this.$out = out; this.$step = -1; this.$items = 0; this.$first = false\n${subs.join('')}  }\n${frame}${methods}}\n`
}

/** The record or array in the field before is ended when the next field begins. */
function closeText (shape: RecordShape, step: number): string {
  const before = shape.fields[step - 1]
  if (before === undefined) return ''
  const nullable = before.shape.kind === 'union'
  const of = nullable ? inNullable((before.shape as Extract<Shape, { kind: 'union' }>).branches) : before.shape
  if (of.kind === 'record') return `    this.$${before.name}.$close()\n`
  return of.kind === 'array' ? `    if (this.$${before.name}.$open) { this.$${before.name}.$open = false; this.$${before.name}.$close(); this.$out.byte(0) }\n` : ''
}

function methodsOf (name: string, shape: Shape, sub: (shape: RecordShape) => void, branch: string = ''): readonly Method[] {
  const out = `    const o = this.$out\n${branch}`
  switch (shape.kind) {
    case 'boolean': return [{ name, args: 'v', body: `${out}    o.byte(v ? 1 : 0)\n` }]
    case 'enum': return [{ name, args: 'v', body: `${out}    if (!(v >= 0 && v < ${shape.symbols.length})) fail('an enum is out of range')\n    o.varint(v)\n` }]
    case 'int': return [{ name, args: 'v', body: `${out}    if (v !== (v | 0)) fail('an int is out of range')\n    o.varint(v)\n` }]
    case 'long': return [{ name, args: 'v', body: `${out}    o.varint(v)\n` }]
    case 'float': case 'double': return [{ name, args: 'v', body: `${out}    o.${shape.kind}(v)\n` }]
    case 'string': return [{ name, args: 'v', body: `${out}    o.text(v)\n` }, { name: `${name}Bytes`, args: 'b, start, end', body: `${out}    o.bytes(b, start, end)\n` }]
    case 'bytes': return [{ name: `${name}Bytes`, args: 'b, start, end', body: `${out}    o.bytes(b, start, end)\n` }]
    case 'fixed': return [{ name: `${name}Bytes`, args: 'b, start, end', body: `${out}    if (end - start !== ${shape.size}) fail('a fixed value has another size')\n    o.raw(b, start, end)\n` }]
    case 'array': sub(itemShape(shape.items)); return [{ name, args: 'count', body: `${out}    if (count > 0) o.varint(count)\n    this.$${name}.$begin(count)\n    this.$${name}.$open = true\n`, answer: `this.$${name}` }]
    case 'record': sub(shape); return [{ name, args: '', body: `${out}    this.$${name}.$begin(1)\n`, answer: `this.$${name}.item()` }]
    case 'union': return nullableMethods(name, shape.branches, sub)
    default: throw unsupported(`a field is ${shape.kind === 'null' ? 'null' : 'a map'}`)
  }
}

function nullableMethods (name: string, branches: readonly Shape[], sub: (shape: RecordShape) => void): readonly Method[] {
  const of = inNullable(branches)
  const nullFirst = nullableOf(branches)?.nullFirst === true
  const idle = of.kind === 'record' ? `    this.$${name}.$begin(0)\n` : of.kind === 'array' ? `    this.$${name}.$open = false\n` : ''
  return [...methodsOf(name, of, sub, `    o.byte(${nullFirst ? 2 : 0})\n`), { name: `${name}Null`, args: '', body: `    this.$out.byte(${nullFirst ? 0 : 2})\n${idle}` }]
}
