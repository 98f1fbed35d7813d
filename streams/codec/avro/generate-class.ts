import { nullableOf } from './plan.ts'
import { itemShape, unsupported, type FieldShape, type RecordShape, type Shape } from './schema.ts'
import { ITEMS_METHODS } from './runtime.ts'

/** What a flyweight has of its own; a field of such a name would hide it. */
const OWN: ReadonlySet<string> = new Set(['over', 'buffer', 'next', 'rewind', 'constructor', '__proto__'])

/** The text of the classes of a record and what it holds; `names` gets the class of each. */
export function classText (shape: RecordShape, items: boolean, names: string[] = []): string {
  const name = `Flyweight${names.length}`
  names.push(name)
  const members = shape.fields.map(field => membersOf(field, names))
  const taken = new Set<string>(OWN)
  for (const { properties, getter } of members) {
    for (const property of [...properties.map(p => p.name), ...(getter === undefined ? [] : [getter.name])]) {
      if (taken.has(property)) throw unsupported(`two properties of ${shape.name} would have the name ${property}`)
      taken.add(property)
    }
  }
  const init = members.flatMap(m => m.properties.map(p => `    this.${p.name} = ${p.init}\n`)).join('')
  const walk = items ? '    this.$from = 0; this.$end = 0; this.$at = 0; this.$left = 0; this.$more = false; this.$whole = false; this.$read = nothing\n' : ''
  const over = items ? ITEMS_METHODS : '  over (b, start, end, layout = own) { if (layout.read(this, b, start, end) !== end) cut() }\n'
  const getters = members.map(m => m.getter === undefined ? '' : `  get ${m.getter.name} () { ${m.getter.body} }\n`).join('')
  return `${members.map(m => m.classes).join('')}class ${name} {\n  constructor () {\n    this.buffer = EMPTY\n${init}${walk}  }\n${over}${getters}}\n`
}

interface Members {
  readonly classes: string
  readonly properties: readonly { readonly name: string, readonly init: string }[]
  readonly getter?: { readonly name: string, readonly body: string }
}

// Doubles begin as NaN, small integers as 0: V8 then keeps a field's box and writes into it.
function membersOf ({ name, shape }: FieldShape, names: string[], nullable: boolean = false): Members {
  const one = (init: string): Members => ({ classes: '', properties: [{ name, init }] })
  switch (shape.kind) {
    case 'boolean': case 'int': case 'enum': return one(nullable ? 'NaN' : '0')
    case 'long': case 'float': case 'double': return one('NaN')
    case 'string': case 'bytes': case 'fixed': return rangeMembers(name, shape.kind === 'string')
    case 'array': return nested(name, itemShape(shape.items), true, names)
    case 'record': {
      const inner = nested(name, shape, false, names)
      return nullable ? { ...inner, properties: [...inner.properties, { name: `${name}Present`, init: 'false' }] } : inner
    }
    case 'union': return membersOf({ name, shape: inNullable(shape.branches), default: undefined }, names, true)
    default: throw unsupported(`a field is ${shape.kind === 'null' ? 'null' : 'a map'}`)
  }
}

function rangeMembers (name: string, text: boolean): Members {
  const read = text ? `this.buffer.toString('utf8', this.${name}Start, this.${name}End)` : `this.buffer.subarray(this.${name}Start, this.${name}End)`
  return { classes: '', properties: [{ name: `${name}Start`, init: '-1' }, { name: `${name}End`, init: '-1' }], getter: { name, body: `return this.${name}Start < 0 ? null : ${read}` } }
}

function nested (name: string, shape: RecordShape, items: boolean, names: string[]): Members {
  const at = names.length
  const classes = classText(shape, items, names)
  return { classes, properties: [{ name, init: `new ${names[at]!} ()` }, ...(items ? [{ name: `${name}Count`, init: '0' }] : [])] }
}

export function inNullable (branches: readonly Shape[]): Shape {
  const nullable = nullableOf(branches)
  if (nullable === undefined || nullable.of.kind === 'union') throw unsupported('a union is not of null and one other type')
  return nullable.of
}
