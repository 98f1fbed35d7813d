import { envelopeOf, isResource, localReference, slimPatient, text, type FhirResource, type Patient } from './resources/index.ts'

/** Resources that are remembered; the oldest go. */
const KEPT_MAX = 200_000
const TYPES: readonly string[] = ['Patient', 'Location', 'Medication']

/** Files of resources bring along what they refer to: each line becomes a message that can be read without the rest of its file. */
export class NdjsonReferences {
  readonly #known = new Map<string, FhirResource>()

  remember (line: Buffer): void {
    const resource = parse(line)
    if (resource?.id === undefined || !TYPES.includes(resource.resourceType)) return
    const key = `${resource.resourceType}/${resource.id}`
    this.#known.delete(key)
    this.#known.set(key, resource.resourceType === 'Patient' ? slimPatient(resource as Patient) : resource)
    if (this.#known.size > KEPT_MAX) this.#known.delete(this.#known.keys().next().value!)
  }

  /** A line that is no resource stays as it is: the mapper says what is wrong with it. */
  message (line: Buffer): Buffer {
    const resource = parse(line)
    if (resource === undefined || resource.resourceType === 'Bundle') return line
    const included = [...new Set(referencesIn(resource))].flatMap(reference => this.#known.get(reference) ?? []).filter(one => one.id !== resource.id)
    return included.length === 0 ? line : envelopeOf(resource, included)
  }
}

/** `Type/id` of every reference in it. */
function referencesIn (value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => name === 'reference' ? localReference(text(member)) ?? [] : referencesIn(member))
}

function parse (line: Buffer): FhirResource | undefined {
  try {
    const said: unknown = JSON.parse(line.toString('utf8'))
    return isResource(said) ? said : undefined
  } catch {
    return undefined // handed on as it is: the mapper refuses it
  }
}
