/** A schema as a registry has it. */
export interface StoredSchema { readonly id: number, readonly subject: string, readonly schema: string }

/** Where registrations are kept, so that an embedded registry gives the same ids at the next start. */
export interface SchemaStorage {
  load (): readonly StoredSchema[]
  add (schema: StoredSchema): Promise<void>
}

/** Where schemas have their ids from. */
export interface SchemaRegistry {
  /** What is known from the start, before any subject is asked for. */
  known (): Promise<readonly StoredSchema[]>
  /** The id of a subject's schema, and the older versions that may stand in the log. Throws SCHEMA_INCOMPATIBLE, or NOT_PROVISIONED where only a deploy may register. */
  idOf (subject: string, schema: string): Promise<{ readonly id: number, readonly older: readonly StoredSchema[] }>
  /** The schema of an id that somebody else registered; undefined: no such id. Absent where nobody else can. Throws REGISTRY_UNREACHABLE. */
  lookup? (id: number): Promise<string | undefined>
}
