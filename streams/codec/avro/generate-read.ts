import { inNullable } from './generate-class.ts'
import { plainDefault, type Read, type RecordRead } from './plan.ts'
import { itemShape, type FieldShape, type NumberKind, type RecordShape, type Shape } from './schema.ts'

/** The text of the function that lays a flyweight of `reader` over bytes as `plan` says; `function read (t, b, p, end)` answers where they end. */
export function readText (reader: RecordShape, plan: RecordRead): string {
  const writer = new ReadWriter()
  const body = writer.record(reader, plan, 't')
  return `${writer.functions.join('')}function read (t, b, p, end) {\n  let n = 0, x = 0\n${body}  return p\n}\n`
}

const BYTE = '  if (p >= end) cut()\n  n = b[p++]\n'
/** A varint into `n`. */
const VARINT = `${BYTE}  if (n > 127) { n = more(b, p, end, n); p = AT } else n = (n >> 1) ^ -(n & 1)\n`
const LENGTH = `${VARINT}  if (n < 0 || n > end - p) cut()\n`
const FITS_32_BITS = '  if (n > 2147483647 || n < -2147483648) cut()\n'

function fits (bytes: number): string { return `  if (end - p < ${bytes}) cut()\n` }

class ReadWriter {
  readonly functions: string[] = []
  #names = 0

  record (reader: RecordShape, { reads }: RecordRead, t: string): string {
    const shapes = new Map(reader.fields.map(f => [f.name, f]))
    const told = reads.map(({ field, read }) => field === undefined ? this.skip((read as Extract<Read, { kind: 'skip' }>).shape) : this.#value(shapes.get(field)!.shape, read, t, field))
    const absent = reader.fields.filter(f => !reads.some(r => r.field === f.name)).map(f => absentText(f, t))
    return `  ${t}.buffer = b\n${told.join('')}${absent.join('')}`
  }

  #value (shape: Shape, read: Read, t: string, name: string): string {
    switch (read.kind) {
      case 'number': return numberText(read.from, read.limit, `${t}.${name}`)
      case 'range': return `${read.size < 0 ? LENGTH : `${fits(read.size)}  n = ${read.size}\n`}  ${t}.${name}Start = p\n  ${t}.${name}End = p += n\n`
      case 'nullable': return this.#nullable(shape, read, t, name)
      case 'array': return `  ${t}.${name}Count = open(${t}.${name}, ${this.#item(itemShape((shape as Extract<Shape, { kind: 'array' }>).items), read.items)}, b, p, end)\n  p = AT\n`
      case 'record': return this.#inner(shape as RecordShape, read, `${t}.${name}`)
      case 'skip': return this.skip(read.shape)
    }
  }

  #inner (shape: RecordShape, read: RecordRead, of: string): string {
    const t = this.#name('t')
    return `  const ${t} = ${of}\n${this.record(shape, read, t)}`
  }

  #item (shape: RecordShape, read: RecordRead): string {
    const name = this.#name('item')
    const body = this.record(shape, read, 't')
    this.functions.push(`function ${name} (t, b, p, end) {\n  let n = 0, x = 0\n${body}  return p\n}\n`)
    return name
  }

  #nullable (shape: Shape, read: Extract<Read, { kind: 'nullable' }>, t: string, name: string): string {
    const inner = inNullable((shape as Extract<Shape, { kind: 'union' }>).branches)
    const present = inner.kind === 'record' ? `  ${t}.${name}Present = true\n` : ''
    return `${BYTE}  if (n === ${read.nullFirst ? 2 : 0}) {\n${this.#value(inner, read.of, t, name)}${present}  } else if (n === ${read.nullFirst ? 0 : 2}) {\n${nullText(inner, t, name)}  } else cut()\n`
  }

  /** Passes over a value that the reader does not have. */
  skip (shape: Shape): string {
    switch (shape.kind) {
      case 'null': return ''
      case 'boolean': case 'float': case 'double': case 'fixed': { const bytes = sizeOf(shape); return `${fits(bytes)}  p += ${bytes}\n` }
      case 'int': case 'long': case 'enum': return VARINT
      case 'string': case 'bytes': return `${LENGTH}  p += n\n`
      case 'record': return shape.fields.map(f => this.skip(f.shape)).join('')
      case 'array': return this.#skipBlocks(this.skip(shape.items))
      case 'map': return this.#skipBlocks(`${LENGTH}  p += n\n${this.skip(shape.values)}`)
      case 'union': {
        const branch = this.#name('branch')
        return `${VARINT}  const ${branch} = n\n${shape.branches.map((s, i) => `  if (${branch} === ${i}) {\n${this.skip(s)}  } else `).join('')}  cut()\n`
      }
    }
  }

  #skipBlocks (item: string): string {
    const left = this.#name('left')
    return `  for (let ${left} = block(b, p, end); ; ${left} = block(b, p, end)) {\n  p = AT\n  if (${left} === 0) break\n  for (; ${left} > 0; ${left}--) {\n${item}  }\n  }\n`
  }

  #name (head: string): string { return `${head}${++this.#names}` }
}

function numberText (from: NumberKind | 'enum', limit: number, to: string): string {
  switch (from) {
    case 'boolean': return `${BYTE}  ${to} = n === 0 ? 0 : 1\n`
    case 'int': return `${VARINT}${FITS_32_BITS}  ${to} = n\n`
    case 'long': return `${VARINT}  ${to} = n\n`
    case 'enum': return `${VARINT}  if (n < 0 || n >= ${limit}) cut()\n  ${to} = n\n`
    case 'float': return `${fits(4)}  U8[0] = b[p]; U8[1] = b[p + 1]; U8[2] = b[p + 2]; U8[3] = b[p + 3]\n  ${to} = F32[0]\n  p += 4\n`
    case 'double': return `${fits(8)}  U8[0] = b[p]; U8[1] = b[p + 1]; U8[2] = b[p + 2]; U8[3] = b[p + 3]; U8[4] = b[p + 4]; U8[5] = b[p + 5]; U8[6] = b[p + 6]; U8[7] = b[p + 7]\n  ${to} = F64[0]\n  p += 8\n`
  }
}

function nullText (shape: Shape, t: string, name: string): string {
  switch (shape.kind) {
    case 'string': case 'bytes': case 'fixed': return `  ${t}.${name}Start = ${t}.${name}End = -1\n`
    case 'array': return `  ${t}.${name}Count = -1\n  none(${t}.${name})\n`
    case 'record': return `  ${t}.${name}Present = false\n`
    default: return `  ${t}.${name} = NaN\n`
  }
}

function absentText (field: FieldShape, t: string): string {
  const { name, shape } = field
  if (shape.kind === 'union') return nullText(inNullable(shape.branches), t, name)
  if (shape.kind === 'string' || shape.kind === 'bytes') return `  ${t}.${name}Start = ${t}.${name}End = 0\n`
  if (shape.kind === 'array') return `  ${t}.${name}Count = 0\n  none(${t}.${name})\n`
  return `  ${t}.${name} = ${String(plainDefault(field))}\n`
}

function sizeOf (shape: Shape): number {
  if (shape.kind === 'fixed') return shape.size
  return shape.kind === 'boolean' ? 1 : shape.kind === 'float' ? 4 : 8
}
