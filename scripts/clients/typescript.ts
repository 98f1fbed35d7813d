import { readFileSync } from 'node:fs'
import { callsOf, nameOf, typesOf, type Call, type Document, type Schema } from './document.ts'

/** The TypeScript client of a document, as one file. */
export function typescriptClient (document: Document): string {
  const runtime = readFileSync(new URL('typescript-runtime.txt', import.meta.url), 'utf8')
  return [
    `// ${document.info.title} ${document.info.version}: client of the API for features. Made by "npm run clients" from /api/openapi.json; not to be edited.\n`,
    ...Object.entries(document.components.schemas).map(([name, schema]) => component(name, schema)),
    runtime.replace('  // CALLS\n', callsOf(document).map(call).join('\n')),
  ].join('\n')
}

function comment (text: string | undefined, indent: string = ''): string { return text === undefined || text === '' ? '' : `${indent}/** ${text.replaceAll('\n', ' ')} */\n` }

function component (name: string, schema: Schema): string {
  const lines = Object.entries(schema.properties ?? {}).map(([property, inner]) => `${comment(inner.description, '  ')}  readonly ${property}${required(schema, property) ? '' : '?'}: ${typeOf(inner)}\n`)
  return `${comment(schema.description)}export interface ${classOf(name)} {\n${lines.join('')}}\n`
}

/** Errors have a class of their own in every language. */
export function classOf (name: string): string { return name === 'Error' ? 'ErrorAnswer' : name }

function required ({ required: names = [] }: Schema, property: string): boolean { return names.includes(property) }

function typeOf (schema: Schema): string {
  if (schema.$ref !== undefined) return classOf(nameOf(schema))
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ')
  const { types, orNull } = typesOf(schema)
  return [...types.map(type => plainTypeOf(type, schema)), ...orNull ? ['null'] : []].join(' | ')
}

function plainTypeOf (type: string, schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(value => `'${value}'`).join(' | ')
  switch (type) {
    case 'integer': case 'number': return 'number'
    case 'string': case 'boolean': case 'null': return type
    case 'array': return listOf(typeOf(schema.items ?? {}))
    default: return `{ ${Object.entries(schema.properties ?? {}).map(([name, inner]) => `readonly ${name}${required(schema, name) ? '' : '?'}: ${typeOf(inner)}`).join(', ')} }`
  }
}

function listOf (item: string): string { return /[|{ ]/.test(item) ? `readonly (${item})[]` : `readonly ${item}[]` }

function call ({ id, method, path, summary, parameters, body, answer, binary }: Call): string {
  const inPath = parameters.filter(p => p.in === 'path')
  const inQuery = parameters.filter(p => p.in === 'query')
  const takes = [
    ...inPath.map(p => `${p.name}: ${typeOf(p.schema)}`),
    ...body === undefined ? [] : [`body: ${typeOf(body)}`],
    ...inQuery.length === 0 ? [] : [`query: { ${inQuery.map(p => `readonly ${p.name}?: ${typeOf(p.schema)} | undefined`).join(', ')} } = {}`],
  ].join(', ')
  const url = `\`${path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => `\${encodeURIComponent(${name})}`)}${inQuery.length === 0 ? '' : '${queryString(query)}'}\``
  const rest = body === undefined ? '' : ', body'
  const plain = `${comment(summary, '  ')}  async ${id} (${takes}): Promise<${typeOf(answer)}> { return await this.#json('${method}', ${url}${rest}) as ${typeOf(answer)} }\n`
  if (!binary) return plain
  return `${plain}\n${comment(`${summary}, in the binary form: several times faster to read`, '  ')}  async ${id}Binary (${takes}): Promise<FeatureBatch> { return new FeatureBatch(await this.#binary('${method}', ${url}${rest}), body.entities) }\n`
}
