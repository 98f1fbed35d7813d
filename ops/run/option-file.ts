import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { PLAIN_MAPPING, type FeedMapping } from '../../connectors/kit/index.ts'
import { LatidoError, messageOf } from '../../streams/errors/index.ts'

/** Which namespace each system of identifiers is in Latido, as in a feed's file. */
const namespaces = z.record(z.string().min(1), z.string()).default({})

/** A JSON file that an option names: its `namespaces`, and the rest by the schema. Throws FILE_UNREADABLE, FILE_INVALID. */
export function readOptionFile<T> (option: string, file: string, schema: z.ZodType<T>, where: string): { readonly options: T, readonly mapping: FeedMapping } {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LatidoError('FILE_UNREADABLE', `the file of ${option} cannot be read: ${messageOf(cause)}`, 'check the path and its permissions', cause)
  }
  const { namespaces: said, ...rest } = jsonOf(text)
  const systems = namespaces.safeParse(said)
  const options = schema.safeParse(rest)
  const [issue] = [...systems.error?.issues.map(one => ({ ...one, path: ['namespaces', ...one.path] })) ?? [], ...options.error?.issues ?? []]
  if (!systems.success || !options.success) throw new LatidoError('FILE_INVALID', `the file of ${option}: ${issue?.path.join('.') || 'its content'}: ${issue?.message ?? 'it is wrong'}`, `see ${where}`)
  return { options: options.data, mapping: { ...PLAIN_MAPPING, namespaces: new Map(Object.entries(systems.data)) } }
}

function jsonOf (text: string): Record<string, unknown> {
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? said as Record<string, unknown> : { content: said }
  } catch {
    return { content: 'not JSON' } // refused as a whole, with its place named above
  }
}
