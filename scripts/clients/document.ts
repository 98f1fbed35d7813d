import { readFileSync } from 'node:fs'
import { buildFeatureServer } from '../../dashboards/server/index.ts'
import { FeatureReader, ServingCatalogue } from '../../features/serving/index.ts'
import { ManualClock } from '../../streams/time/index.ts'

/** A JSON schema, as far as the API uses it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly anyOf?: readonly Schema[]
}

export interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly { readonly name: string, readonly in: 'path' | 'query', readonly required?: boolean, readonly description?: string, readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>
}

/** An OpenAPI document, as far as the API uses it. */
export interface Document {
  readonly info: { readonly title: string, readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** One call of a client. */
export interface Call {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly parameters: NonNullable<Operation['parameters']>
  readonly body: Schema | undefined
  readonly answer: Schema
  /** The answer can also be had in the binary form. */
  readonly binary: boolean
}

export const BINARY = 'application/vnd.latido.features'

/** The OpenAPI document of the server of features. */
export async function featureDocument (): Promise<Document> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const features = new FeatureReader({ store: { get: () => Promise.resolve([]) }, catalogue: new ServingCatalogue([]), clock: new ManualClock() })
  const app = await buildFeatureServer({ features, version, metrics: () => Promise.resolve('') })
  try {
    return (await app.inject({ url: '/api/openapi.json', headers: { host: '127.0.0.1' } })).json() as Document
  } finally {
    await app.close()
  }
}

/** The calls of a document, in its order. */
export function callsOf ({ paths }: Document): readonly Call[] {
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => callOf(path, method, operation)))
}

function callOf (path: string, method: string, { operationId, summary = '', parameters = [], requestBody, responses }: Operation): Call {
  const content = responses['200']?.content ?? {}
  const answer = content['application/json']?.schema
  if (operationId === undefined || answer === undefined) throw new Error(`${method} ${path} has no operationId, or no JSON answer`)
  return { id: operationId, method: method.toUpperCase(), path, summary, parameters, body: requestBody?.content['application/json']?.schema, answer, binary: content[BINARY] !== undefined }
}

/** The name of a component that is referred to. */
export function nameOf ({ $ref = '' }: Schema): string { return $ref.slice($ref.lastIndexOf('/') + 1) }

/** Its types without null, and whether null is one. */
export function typesOf ({ type = 'object' }: Schema): { readonly types: readonly string[], readonly orNull: boolean } {
  const all = typeof type === 'string' ? [type] : type
  return { types: all.filter(t => t !== 'null'), orNull: all.includes('null') }
}
