import { isLatidoError } from '../../../streams/errors/index.ts'
import type { Clock } from '../../../streams/time/index.ts'
import type { Delivery, FeedMapping, OutboundAlert, OutboundClinicalScore, OutboundItem, OutboundScore } from '../../kit/index.ts'
import { versionTagOf, type FhirExchange, type FhirReply } from '../exchange.ts'
import { list, text, type FhirResource } from '../resources/types.ts'
import { WRITE_BACK_LIMITS, type WriteBackOptions } from './options.ts'
import { ServerPatients, type FoundPatient } from './patients.ts'
import { alertIdentifier, changeOf, clinicalObservationOf, clinicalScoreIdentifier, detectedIssueOf, observationOf, scoreIdentifier, stretchOf, type OwnIdentifier } from './resources.ts'

export interface WriteBackParts {
  readonly exchange: FhirExchange
  readonly options: WriteBackOptions
  readonly mapping: () => FeedMapping
  readonly clock: Clock
}

/**
 * Writes alerts and scores to a FHIR server. A repeat changes nothing: creation is conditional on our identifier, an update on the version that was read
 * (409 and 412: read again), and a resource that tells of a later change is left as it is.
 */
export class WriteBack {
  readonly #exchange: FhirExchange
  readonly #options: WriteBackOptions
  readonly #patients: ServerPatients
  readonly #stretches = new Map<string, number>()

  constructor ({ exchange, options, mapping, clock }: WriteBackParts) {
    this.#exchange = exchange
    this.#options = options
    this.#patients = new ServerPatients(exchange, mapping, clock)
  }

  /** `isAsked`: by a person, who may just have registered the patient there. */
  async deliver (item: OutboundItem, signal: AbortSignal, isAsked = false): Promise<Delivery> {
    if (isAsked) this.#patients.forget(item.patient)
    if (!this.#wanted(item)) return { kind: 'skipped', what: 'not-wanted' }
    if (item.kind === 'score' && this.#sentInStretch(item)) return { kind: 'skipped', what: 'within-stretch' }
    try {
      const patient = await this.#patients.find(item.patient, signal)
      if (patient.kind !== 'found') return withoutPatient(patient)
      const delivery = await this.#write(item, patient.reference, signal)
      if (delivery.kind === 'refused') this.#patients.forget(item.patient) // the patient may be gone there
      return delivery
    } catch (e) {
      if (isLatidoError(e)) return { kind: 'away', why: e.message }
      throw e
    }
  }

  #wanted (item: OutboundItem): boolean {
    const { alerts, scores, clinicalScores } = this.#options
    switch (item.kind) {
      case 'alert': return alerts.includes(item.priority)
      case 'score': return scores.includes('*') || scores.includes(item.model)
      case 'clinical-score': return clinicalScores.includes(item.score)
    }
  }

  async #write (item: OutboundItem, patient: string, signal: AbortSignal): Promise<Delivery> {
    switch (item.kind) {
      case 'alert': return await this.#alert(item, patient, signal)
      case 'score': return await this.#score(item, patient, signal)
      case 'clinical-score': return await this.#clinicalScore(item, patient, signal)
    }
  }

  async #clinicalScore (score: OutboundClinicalScore, patient: string, signal: AbortSignal): Promise<Delivery> {
    const { reply } = await this.#create(clinicalObservationOf(score, patient, this.#options), clinicalScoreIdentifier(score, this.#options), signal)
    return reply.status === 200 || reply.status === 201 ? { kind: 'delivered' } : deliveryOf(reply)
  }

  async #score (score: OutboundScore, patient: string, signal: AbortSignal): Promise<Delivery> {
    const { reply } = await this.#create(observationOf(score, patient, this.#options), scoreIdentifier(score, this.#options), signal)
    if (reply.status !== 200 && reply.status !== 201) return deliveryOf(reply)
    this.#remember(score)
    return { kind: 'delivered' }
  }

  async #alert (alert: OutboundAlert, patient: string, signal: AbortSignal): Promise<Delivery> {
    const wanted = detectedIssueOf(alert, patient, this.#options)
    const identifier = alertIdentifier(alert, this.#options)
    for (let conflicts = 0; conflicts < WRITE_BACK_LIMITS.conflictsMax; conflicts++) {
      const { reply, created } = await this.#create(wanted, identifier, signal)
      if (created) return { kind: 'delivered' }
      if (reply.status !== 200) return deliveryOf(reply)
      const { resource: there } = reply
      const tag = versionTagOf(reply)
      if (there?.id === undefined) return { kind: 'failed', detail: 'the server does not show the resource that is there' }
      if ((changeOf(there, this.#options) ?? -Infinity) >= alert.changedAt) return { kind: 'delivered' } // this change, or a later one, is there
      const updated = await this.#exchange({ method: 'PUT', path: `DetectedIssue/${there.id}`, body: { ...wanted, id: there.id }, headers: tag === undefined ? {} : { 'if-match': tag }, signal })
      if (updated.status === 200 || updated.status === 201) return { kind: 'delivered' }
      if (!CHANGED_MEANWHILE.has(updated.status)) return deliveryOf(updated)
    }
    return { kind: 'failed', detail: 'the resource was changed by others at the same time' }
  }

  /** Creates unless there is one by our identifier; then the reply is that one, as it is now. */
  async #create (body: FhirResource, { system, value }: OwnIdentifier, signal: AbortSignal): Promise<{ readonly reply: FhirReply, readonly created: boolean }> {
    const query = `identifier=${encodeURIComponent(`${system}|${value}`)}`
    if (this.#options.once === 'search') {
      const found = await this.#first(body.resourceType, query, signal)
      if (found !== undefined) return { reply: found, created: false }
    }
    const reply = await this.#exchange({ method: 'POST', path: body.resourceType, body, headers: { 'if-none-exist': query, 'prefer': 'return=representation' }, signal })
    if (reply.status === 201) return { reply, created: true }
    if (reply.status !== 200 || reply.resource?.resourceType === body.resourceType) return { reply, created: false }
    return { reply: await this.#first(body.resourceType, query, signal) ?? reply, created: false }
  }

  async #first (type: string, query: string, signal: AbortSignal): Promise<FhirReply | undefined> {
    const reply = await this.#exchange({ method: 'GET', path: `${type}?${query}&_count=2`, signal })
    if (reply.status !== 200 || reply.resource?.resourceType !== 'Bundle') return reply.status === 200 ? undefined : reply
    const resource = list(reply.resource.entry).map(entry => entry.resource as FhirResource | undefined).find(one => one?.resourceType === type)
    return resource === undefined ? undefined : { ...reply, resource, etag: '' }
  }

  #sentInStretch (score: OutboundScore): boolean { return this.#stretches.get(seriesOf(score)) === stretchOf(score.asOf, this.#options.scoreEveryMs) }

  #remember (score: OutboundScore): void {
    const series = seriesOf(score)
    this.#stretches.delete(series)
    if (this.#stretches.size >= WRITE_BACK_LIMITS.stretchesKeptMax) for (const oldest of this.#stretches.keys()) { this.#stretches.delete(oldest); break }
    this.#stretches.set(series, stretchOf(score.asOf, this.#options.scoreEveryMs))
  }
}

/** Somebody else wrote, or deleted it: read again. HAPI says 409 to a stale If-Match, R4 (http.html, "Managing Resource Contention") 412. */
const CHANGED_MEANWHILE: ReadonlySet<number> = new Set([404, 409, 410, 412])

function seriesOf ({ patient, model, version }: OutboundScore): string { return `${patient.id}|${model}|${version}` }

function withoutPatient (found: Exclude<FoundPatient, { kind: 'found' }>): Delivery {
  switch (found.kind) {
    case 'none': return { kind: 'refused', fault: { cause: 'patient-missing', detail: 'the FHIR server knows no such patient' } }
    case 'several': return { kind: 'refused', fault: { cause: 'identifier-conflict', detail: 'several patients of the FHIR server have the identifier' } }
    case 'no-system': return { kind: 'refused', fault: { cause: 'patient-missing', detail: 'no system of the mapping stands for the identifier\'s namespace' } }
    case 'reply': return deliveryOf(found.reply)
  }
}

function deliveryOf ({ status, resource }: FhirReply): Delivery {
  if (status === 403) return { kind: 'away', why: 'the FHIR server does not let us write (403)' } // a scope that a person must grant: nothing is thrown away
  if (status >= 500 || status === 409) return { kind: 'failed', detail: `the FHIR server answered ${status}` }
  return { kind: 'refused', fault: { cause: status === 412 ? 'identifier-conflict' : 'source-refused', detail: `the FHIR server answered ${status}${issueOf(resource)}` } }
}

/** The outcome's code, which is of a closed list; its text may hold values. */
function issueOf (resource: FhirResource | undefined): string {
  const code = resource?.resourceType === 'OperationOutcome' ? text(list(resource.issue)[0]?.code) : ''
  return /^[a-z-]{1,32}$/.test(code) ? ` (${code})` : ''
}
