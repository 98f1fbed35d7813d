import type { FastifyInstance } from 'fastify'
import type { CatalogueView } from '../../features/catalogue/index.ts'
import { exactly, flag, listOf, numberOrNull, number, ref, responses, text, whole } from './schemas.ts'
import type { WireCatalogueView } from './wire.ts'

const STATES: readonly CatalogueView['state'][] = ['unpublished', 'building', 'live', 'retired', 'unknown']
const texts = listOf(text)

const CATALOGUE_SCHEMA: Readonly<Record<string, unknown>> = {
  $id: 'CatalogueView', ...exactly({
    name: text, version: whole, entity: text, owner: text, description: text, ttlMs: number, emit: exactly({ everyMs: number, on: texts, onChange: texts }),
    origin: { type: 'string', enum: ['standard', 'own'], description: 'the product\'s, or of the folder of --features' },
    state: { type: 'string', enum: STATES, description: 'building: its state is being built from the log; live: it has caught up' },
    served: { ...flag, description: 'a bare name means this version' }, fingerprint: { ...text, description: 'SHA-256 of its meaning' },
    stateBytes: { ...numberOrNull, description: 'state a key at most, planned alone' }, deviceStateBytes: numberOrNull,
    dependents: { ...texts, description: 'models, rules, services, pages and views that read this version' },
    concepts: listOf(exactly({ id: text, name: text, unit: text, loinc: texts, mdc: texts, aliases: texts })),
    features: listOf(exactly({ name: text, unit: text, meaning: { ...text, description: 'the expression in words' }, windowsMs: listOf(number), concepts: texts, reads: texts })),
  }),
}

/** The feature catalogue; files and lines stay with the command line, as they say how a machine is arranged. */
export function catalogueRoutes (app: FastifyInstance, catalogue: (() => readonly CatalogueView[]) | undefined): void {
  app.addSchema(CATALOGUE_SCHEMA)
  app.get('/api/catalogue', { schema: { operationId: 'getCatalogue', summary: 'The feature catalogue: what each view means, its sources, owner and state, and what depends on it', tags: ['models'], response: responses(listOf(ref('CatalogueView')), 403, 500) } },
    async (): Promise<readonly WireCatalogueView[]> => catalogue?.() ?? [])
}
