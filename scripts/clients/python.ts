import { readFileSync } from 'node:fs'
import { callsOf, nameOf, typesOf, type Call, type Document, type Schema } from './document.ts'
import { classOf } from './typescript.ts'

/** The Python client of a document, as one module: Python 3.9, standard library alone. */
export function pythonClient (document: Document): string {
  const runtime = readFileSync(new URL('python-runtime.txt', import.meta.url), 'utf8')
  const [head = '', rest = ''] = runtime.split('# COMPONENTS\n')
  const components = inOrder(document.components.schemas).map(([name, schema]) => component(name, schema))
  const body = (schema: Schema): Schema => document.components.schemas[nameOf(schema)] ?? schema
  return `# ${document.info.title} ${document.info.version}: client of the API for features. Made by "npm run clients" from /api/openapi.json; not to be edited.\n`
    + head + components.join('\n\n') + rest.replace('    # CALLS\n', callsOf(document).map(call => method(call, body)).join('\n'))
}

/** What is referred to comes before what refers to it. */
function inOrder (schemas: Document['components']['schemas']): readonly (readonly [string, Schema])[] {
  const done = new Map<string, Schema>()
  const visit = (name: string): void => {
    const schema = schemas[name]
    if (schema === undefined || done.has(name)) return
    for (const inner of referred(schema)) visit(inner)
    done.set(name, schema)
  }
  for (const name of Object.keys(schemas)) visit(name)
  return [...done]
}

function referred (schema: Schema): readonly string[] {
  if (schema.$ref !== undefined) return [nameOf(schema)]
  return [...Object.values(schema.properties ?? {}), ...schema.items === undefined ? [] : [schema.items], ...schema.anyOf ?? []].flatMap(referred)
}

/** `ttlMs` as `ttl_ms`. */
function snake (name: string): string { return name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`) }

function docstring (text: string | undefined, indent: string): string { return text === undefined || text === '' ? '' : `${indent}"""${text.replaceAll('\n', ' ').replaceAll('`', '')}"""\n` }

/** Those that may be missing come last, as Python wants it. */
function fieldsOf ({ properties = {}, required = [] }: Schema): readonly { readonly name: string, readonly schema: Schema, readonly optional: boolean }[] {
  return Object.entries(properties).map(([name, schema]) => ({ name, schema, optional: !required.includes(name) })).sort((a, b) => Number(a.optional) - Number(b.optional))
}

function component (name: string, schema: Schema): string {
  const fields = fieldsOf(schema)
  const lines = fields.map(f => `${comment(f.schema.description)}    ${snake(f.name)}: ${f.optional ? `Optional[${typeOf(f.schema)}] = None` : typeOf(f.schema)}\n`)
  const read = fields.map(f => `${snake(f.name)}=${f.optional ? reading(f.schema, `o.get("${f.name}")`) : reading(f.schema, `o["${f.name}"]`)}`)
  return `@dataclass(frozen=True)\nclass ${classOf(name)}:\n${docstring(schema.description, '    ')}${lines.join('')}\n    @classmethod\n    def from_json(cls, o: Any) -> "${classOf(name)}":\n        return cls(${read.join(', ')})\n`
}

function comment (text: string | undefined): string { return text === undefined || text === '' ? '' : `    # ${text.replaceAll('\n', ' ').replaceAll('`', '')}\n` }

function typeOf (schema: Schema): string {
  if (schema.$ref !== undefined) return classOf(nameOf(schema))
  const { types, orNull } = typesOf(schema)
  const [plain = 'Any'] = types.map(type => plainTypeOf(type, schema))
  return orNull ? `Optional[${plain}]` : plain
}

function plainTypeOf (type: string, schema: Schema): string {
  switch (type) {
    case 'integer': return 'int'
    case 'number': return 'float'
    case 'string': return 'str'
    case 'boolean': return 'bool'
    case 'array': return `List[${typeOf(schema.items ?? {})}]`
    default: return 'Any'
  }
}

/** How what JSON gave becomes the type. */
function reading (schema: Schema, from: string): string {
  if (schema.$ref !== undefined) return `${classOf(nameOf(schema))}.from_json(${from})`
  if (schema.items !== undefined && schema.items.$ref !== undefined) return `[${reading(schema.items, 'i')} for i in ${from}]`
  return from
}

function method ({ id, method: verb, path, summary, parameters, body, answer, binary }: Call, resolve: (schema: Schema) => Schema): string {
  const inPath = parameters.filter(p => p.in === 'path')
  const inQuery = parameters.filter(p => p.in === 'query')
  const fields = body === undefined ? [] : fieldsOf(resolve(body))
  const takes = [
    'self', ...inPath.map(p => `${snake(p.name)}: ${typeOf(p.schema)}`), ...fields.filter(f => !f.optional).map(f => `${snake(f.name)}: ${argumentOf(f.schema)}`),
    ...[...fields.filter(f => f.optional), ...inQuery].map(p => `${snake(p.name)}: Optional[${argumentOf(p.schema)}] = None`),
  ].join(', ')
  const url = `f"${path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => `{_quote(${snake(name)})}`)}"`
  const query = inQuery.length === 0 ? '' : ` + _query({${inQuery.map(p => `"${p.name}": ${snake(p.name)}`).join(', ')}})`
  const sent = body === undefined ? 'None' : `{${fields.map(f => `"${f.name}": ${listed(f.schema, snake(f.name))}`).join(', ')}}`
  const plain = `    def ${snake(id)}(${takes}) -> ${typeOf(answer)}:\n${docstring(summary, '        ')}        answer = self._json("${verb}", ${url}${query}, ${sent})\n        return ${reading(answer, 'answer')}\n`
  if (!binary) return plain
  return `${plain}\n    def ${snake(id)}_binary(${takes}) -> FeatureBatch:\n${docstring(`${summary}, in the binary form: several times faster to read`, '        ')}        entities = list(entities)\n        return FeatureBatch(self._send("${verb}", ${url}${query}, ${sent}, BINARY), entities)\n`
}

/** Callers may hand any sequence. */
function argumentOf (schema: Schema): string { return schema.items === undefined ? typeOf(schema) : `Sequence[${typeOf(schema.items)}]` }

function listed (schema: Schema, name: string): string { return schema.items === undefined ? name : `None if ${name} is None else list(${name})` }
