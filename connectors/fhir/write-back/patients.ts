import type { Clock } from '../../../streams/time/index.ts'
import type { FeedMapping, SourceIdentity } from '../../kit/index.ts'
import type { FhirExchange, FhirReply } from '../exchange.ts'
import { list, text, type FhirResource, type Patient } from '../resources/types.ts'
import { WRITE_BACK_LIMITS } from './options.ts'

export type FoundPatient =
  | { readonly kind: 'found', readonly reference: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'several' }
  /** No system stands for the identifier's namespace. */
  | { readonly kind: 'no-system' }
  | { readonly kind: 'reply', readonly reply: FhirReply }

type Settled = Extract<FoundPatient, { readonly kind: 'found' | 'none' | 'several' }>

/** Who a patient of ours is on the server: found by identifier, remembered for a while. */
export class ServerPatients {
  readonly #exchange: FhirExchange
  readonly #mapping: () => FeedMapping
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly found: Settled, readonly at: number }>()

  constructor (exchange: FhirExchange, mapping: () => FeedMapping, clock: Clock) {
    this.#exchange = exchange
    this.#mapping = mapping
    this.#clock = clock
  }

  async find ({ id }: SourceIdentity, signal: AbortSignal): Promise<FoundPatient> {
    const known = this.#known.get(id)
    const { patientsKeptMs, patientsUnknownMs } = WRITE_BACK_LIMITS
    if (known !== undefined && this.#clock.now() - known.at < (known.found.kind === 'found' ? patientsKeptMs : patientsUnknownMs)) return known.found
    const token = this.#tokenOf(id)
    if (token === undefined) return { kind: 'no-system' }
    const reply = await this.#exchange({ method: 'GET', path: `Patient?identifier=${encodeURIComponent(token)}&_count=10`, signal })
    if (reply.status !== 200) return { kind: 'reply', reply }
    const found = patientsIn(reply.resource).filter(one => one.active !== false && !list(one.link).some(link => link.type === 'replaced-by'))
    const [first, second] = found
    const settled: Settled = first === undefined ? { kind: 'none' } : second !== undefined ? { kind: 'several' } : { kind: 'found', reference: `Patient/${text(first.id)}` }
    this.#remember(id, settled)
    return settled
  }

  /** The server, or a person, says that it may be otherwise by now. */
  forget ({ id }: SourceIdentity): void { this.#known.delete(id) }

  /** The feed's namespaces say what each system is called here; this is the other way round. */
  #tokenOf (id: string): string | undefined {
    const { namespaces } = this.#mapping()
    if (namespaces.size === 0) return id
    for (const [system, namespace] of namespaces) {
      if (namespace === '' ? !id.includes('|') : id.startsWith(`${namespace}|`)) return `${system}|${namespace === '' ? id : id.slice(namespace.length + 1)}`
    }
    return undefined
  }

  #remember (id: string, found: Settled): void {
    this.#known.delete(id)
    if (this.#known.size >= WRITE_BACK_LIMITS.patientsKeptMax) for (const oldest of this.#known.keys()) { this.#known.delete(oldest); break }
    this.#known.set(id, { found, at: this.#clock.now() })
  }
}

function patientsIn (bundle: FhirResource | undefined): readonly Patient[] {
  if (bundle?.resourceType !== 'Bundle') return []
  return list(bundle.entry).flatMap(({ resource }) => resource?.resourceType === 'Patient' && text(resource.id) !== '' ? [resource as Patient] : [])
}
