import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ConformanceHarness } from '../../../connectors/conformance/index.ts'
import type { ConnectorKind } from '../../../connectors/kit/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { loadModule } from './load-module.ts'

const SUFFIX = '.connector.ts'

/** The connectors of a feeds' folder: each `NAME.connector.ts` exports one as `connector`. Throws CONNECTOR_INVALID. */
export async function ownKinds (folder: string, taken: readonly string[] = []): Promise<readonly ConnectorKind<unknown>[]> {
  if (folder === '' || !existsSync(folder)) return []
  const kinds: ConnectorKind<unknown>[] = []
  for (const file of readdirSync(folder).filter(name => name.endsWith(SUFFIX)).toSorted()) {
    const { connector } = await loadModule(join(folder, file))
    if (!isKind(connector)) throw new LatidoError('CONNECTOR_INVALID', `${file} does not export a connector`, 'export const connector: ConnectorKind<Options> = { kind, summary, options, mapper, start }')
    if (taken.includes(connector.kind) || kinds.some(({ kind }) => kind === connector.kind)) throw new LatidoError('CONNECTOR_INVALID', `${file}: there is a connector of kind "${connector.kind}" already`, 'give it a kind of its own')
    kinds.push(connector)
  }
  return kinds
}

/** What `NAME.harness.ts` exports as `harness`. Throws CONNECTOR_INVALID. */
export async function loadHarness (file: string): Promise<ConformanceHarness<unknown>> {
  if (!existsSync(file)) throw new LatidoError('FILE_UNREADABLE', `${file} is not there`, 'name the file NAME.harness.ts of your connector')
  const { harness } = await loadModule(file)
  if (!isHarness(harness)) throw new LatidoError('CONNECTOR_INVALID', `${file} does not export a harness`, 'export const harness: ConformanceHarness<Options> = { kind, open, message, poison }')
  return harness
}

const kindShape = z.looseObject({ kind: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/), summary: z.string(), options: z.custom(value => value instanceof z.ZodType), mapper: z.function(), listens: z.function().optional(), start: z.function() })
const harnessShape = z.looseObject({ kind: kindShape, open: z.function(), message: z.function(), poison: z.instanceof(Buffer) })

function isKind (value: unknown): value is ConnectorKind<unknown> { return kindShape.safeParse(value).success }
function isHarness (value: unknown): value is ConformanceHarness<unknown> { return harnessShape.safeParse(value).success }
