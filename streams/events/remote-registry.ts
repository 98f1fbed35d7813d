import { LatidoError } from '../errors/index.ts'
import { whyUnreadable } from './avro-type.ts'
import { RegistryClient, type RegistryOptions } from './registry-client.ts'
import type { SchemaRegistry, StoredSchema } from './registry.ts'

/** A subject and the schema that this version writes to it. */
export interface SubjectSchema { readonly subject: string, readonly schema: string }

/** How a subject stands at the registry, and what a deploy would do about it. */
export interface SubjectPlan extends SubjectSchema {
  /** `registered`: nothing; `missing`: would be registered; `incompatible`: cannot be. */
  readonly state: 'registered' | 'missing' | 'incompatible'
  /** Why it is incompatible. */
  readonly why: string
  /** It is incompatible for the registry too, which says why when it refuses it. */
  readonly refused: boolean
  /** The subject's own level; undefined where it has none, and the registry's default holds. */
  readonly compatibility: string | undefined
  /** True where that level refuses what could not be read later. */
  readonly guarded: boolean
}

/** Levels that promise that a new reader reads what was written (Confluent's names). The registry's default does not count: Apicurio's is NONE. */
const GUARDING: ReadonlySet<string> = new Set(['BACKWARD', 'BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'])
const REMEDY = 'run "latido topics apply" with the rights to change it'

/** A registry that several instances share. Running only looks up; registering is a deploy's. */
export interface RemoteRegistry extends SchemaRegistry {
  plan (schemas: readonly SubjectSchema[]): Promise<readonly SubjectPlan[]>
  /** Sets BACKWARD where nothing guards a subject, then registers what is missing. Throws SCHEMA_INCOMPATIBLE before it has changed anything. */
  apply (plans: readonly SubjectPlan[]): Promise<void>
}

/** Opens it: waits for it as long as the options say. Throws REGISTRY_UNREACHABLE or REGISTRY_REFUSED. */
export async function openRemoteRegistry (options: RegistryOptions): Promise<RemoteRegistry> {
  const client = new RegistryClient(options)
  await client.ping()
  return new Remote(client)
}

/** Throws what stands in the way of a start: SCHEMA_INCOMPATIBLE, REGISTRY_MISMATCH or NOT_PROVISIONED, the worst first. */
export function refuseUnfit (plans: readonly SubjectPlan[]): void {
  const bad = plans.find(p => p.state === 'incompatible')
  if (bad !== undefined) throw incompatible(bad)
  const open = plans.find(p => p.state === 'registered' && !p.guarded)
  if (open !== undefined) throw new LatidoError('REGISTRY_MISMATCH', `the compatibility of subject ${open.subject} is ${open.compatibility ?? 'not set'}, and must be BACKWARD`, REMEDY)
  const missing = plans.filter(p => p.state === 'missing')
  if (missing.length > 0) throw new LatidoError('NOT_PROVISIONED', `${missing.length} schemas are not registered, ${missing[0]!.subject} among them`, REMEDY)
}

function incompatible ({ subject, why }: SubjectPlan): LatidoError { return new LatidoError('SCHEMA_INCOMPATIBLE', `the new schema of ${subject} cannot be used: ${why}`, 'give new fields a default, or use a new record name') }

class Remote implements RemoteRegistry {
  readonly #client: RegistryClient
  constructor (client: RegistryClient) { this.#client = client }

  known (): Promise<readonly StoredSchema[]> { return Promise.resolve([]) }

  async idOf (subject: string, schema: string): Promise<{ readonly id: number, readonly older: readonly StoredSchema[] }> {
    const id = await this.#client.idOf(subject, schema)
    if (id === undefined) throw new LatidoError('NOT_PROVISIONED', `the schema of ${subject} is not registered`, REMEDY)
    return { id, older: (await this.#versions(subject)).filter(v => v.id !== id) }
  }

  async lookup (id: number): Promise<string | undefined> { return await this.#client.schemaOf(id) }

  async plan (schemas: readonly SubjectSchema[]): Promise<readonly SubjectPlan[]> {
    return await Promise.all(schemas.map(async s => await this.#plan(s)))
  }

  async apply (plans: readonly SubjectPlan[]): Promise<void> {
    const bad = plans.find(p => p.state === 'incompatible')
    if (bad?.refused === true) await this.#client.register(bad.subject, bad.schema) // throws with the registry's reason; what it refuses is not registered
    if (bad !== undefined) throw incompatible(bad)
    for (const { subject } of plans.filter(p => !p.guarded)) await this.#client.setBackward(subject) // before the first schema: nothing slips in between
    for (const { subject, schema } of plans.filter(p => p.state === 'missing')) await this.#client.register(subject, schema)
  }

  /** All versions count, not the newest alone: any of them may stand in the log. */
  async #plan ({ subject, schema }: SubjectSchema): Promise<SubjectPlan> {
    const [compatibility, versions, id] = await Promise.all([this.#client.compatibilityOf(subject), this.#versions(subject), this.#client.idOf(subject, schema)])
    const of = { subject, schema, compatibility, guarded: compatibility !== undefined && GUARDING.has(compatibility), refused: false, why: '' }
    if (id !== undefined) return { ...of, state: 'registered' }
    const refused = versions.length > 0 && !await this.#client.isCompatible(subject, schema)
    const why = versions.map(version => ({ id: version.id, reason: whyUnreadable(schema, version.schema) })).find(v => v.reason !== undefined)
    if (why !== undefined) return { ...of, state: 'incompatible', refused, why: `it cannot read what was written with id ${why.id}: ${why.reason}` }
    return refused ? { ...of, state: 'incompatible', refused, why: 'the registry calls it incompatible' } : { ...of, state: 'missing' }
  }

  async #versions (subject: string): Promise<readonly StoredSchema[]> {
    return (await this.#client.versionsOf(subject)).flatMap(({ id, schema, schemaType }) => id === undefined || (schemaType ?? 'AVRO') !== 'AVRO' ? [] : [{ id, subject, schema }])
  }
}
