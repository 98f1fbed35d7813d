import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type FeedMapping, PLAIN_MAPPING } from '../../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../../streams/errors/index.ts'
import { lineOfShapeFault, readShape, type ShapeFault } from '../../../streams/shapes/index.ts'

/** Which namespace each system of identifiers is in Latido, as in a feed's file. */
const namespaces = z.record(z.string().min(1), z.string()).default({})

/** A JSON file that an option names, by its schema; `where` says which page describes it. Throws FILE_UNREADABLE, FILE_INVALID. */
export function readOptionFile<T> (option: string, file: string, schema: z.ZodType<T>, where: string): T {
  const read = readShape(schema, contentOf(option, file), 'shown')
  if (read.kind === 'invalid') throw invalid(option, read.faults, where)
  return read.value
}

/** The same for what goes to a FHIR server, with the `namespaces` of its identifiers beside the options. */
export function readMappedOptionFile<T> (option: string, file: string, schema: z.ZodType<T>, where: string): { readonly options: T, readonly mapping: FeedMapping } {
  const content = contentOf(option, file)
  const { namespaces: said, ...rest } = isObject(content) ? content : { content }
  const systems = readShape(namespaces, said, 'shown')
  const options = readShape(schema, rest, 'shown')
  if (systems.kind === 'invalid' || options.kind === 'invalid') throw invalid(option, [...systems.kind === 'ok' ? [] : systems.faults.map(one => ({ ...one, path: ['namespaces', ...one.path] })), ...options.kind === 'ok' ? [] : options.faults], where)
  return { options: options.value, mapping: { ...PLAIN_MAPPING, namespaces: new Map(Object.entries(systems.value)) } }
}

/** undefined where it is no JSON: the schema refuses that as a whole. */
function contentOf (option: string, file: string): unknown {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the file of ${option} cannot be read: ${messageOf(cause)}`, 'check the path and its permissions', cause)
  }
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function invalid (option: string, faults: readonly ShapeFault[], where: string): LatidoError {
  return new LatidoError('FILE_INVALID', faults.map(fault => `the file of ${option}: ${lineOfShapeFault(fault)}`).join('\n'), `see ${where}`)
}

function isObject (value: unknown): value is Readonly<Record<string, unknown>> { return typeof value === 'object' && value !== null && !Array.isArray(value) }
