import { z } from 'zod'
import { readShape } from '../../streams/shapes/index.ts'
import { hashOf, type Principal, type Writes } from './principal.ts'
import { canonical, readJson, type Envelope, type ItemKind } from './envelope.ts'
import { TELEMEDICINE_LIMITS, type Scope } from './options.ts'
import { Refusal } from './refusals.ts'

/** What each route takes, how many at once, and who may. */
export const ROUTES: Readonly<Record<ItemKind, { readonly scope: Scope, readonly itemsMax: number }>> = {
  observations: { scope: 'latido/observations.write', itemsMax: TELEMEDICINE_LIMITS.observationsMax },
  symptoms: { scope: 'latido/symptoms.write', itemsMax: TELEMEDICINE_LIMITS.symptomsMax },
  questionnaires: { scope: 'latido/questionnaires.write', itemsMax: TELEMEDICINE_LIMITS.questionnairesMax },
}

const requestBody = z.strictObject({
  patient: z.strictObject({ id: z.string().min(1).max(256), authority: z.string().max(256).optional() }).optional(),
  items: z.array(z.unknown()).min(1),
})

const KEY = /^[A-Za-z0-9._~:-]{1,128}$/

/** What a request asks to be taken, and under which key. */
export interface ReadRequest {
  readonly key: string
  /** Hash of what is to be taken: the same for the same. */
  readonly body: string
  readonly envelope: Envelope
}

/** Reads a request of somebody who may send it. Throws a Refusal. The items themselves are read by the mapper, each by itself. */
export function readRequest (kind: ItemKind, principal: Principal, key: unknown, bytes: unknown): ReadRequest {
  if (typeof key !== 'string' || !KEY.test(key)) throw new Refusal('IDEMPOTENCY_KEY_MISSING')
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw new Refusal('REQUEST_INVALID', { detail: 'there is no body' })
  const json = readJson(bytes)
  if (json.kind === 'refused') throw new Refusal('REQUEST_INVALID', { detail: json.why })
  const read = readShape(requestBody, json.value, 'hidden')
  if (read.kind === 'invalid') {
    const [{ path, why }] = read.faults
    throw new Refusal('REQUEST_INVALID', { detail: `/${path.join('/')}: ${why}` })
  }
  const { items, patient } = read.value
  const { itemsMax } = ROUTES[kind]
  if (items.length > itemsMax) throw new Refusal('REQUEST_INVALID', { detail: `more than ${itemsMax} items` })
  const whom = whomOf(principal.writes, patient)
  const id = hashOf(principal.id, key)
  return { key: id, body: hashOf(canonical({ kind, patient: whom, items })), envelope: { kind, id, patient: whom, items } }
}

/** A person's credential writes for that person alone, whoever the body names; a clinic's for whom the body names, within its authority. */
function whomOf (writes: Writes, named: { readonly id: string, readonly authority?: string | undefined } | undefined): Envelope['patient'] {
  if (named?.authority !== undefined && named.authority !== writes.authority) throw new Refusal('PATIENT_FORBIDDEN')
  if (writes.kind === 'patient') {
    if (named !== undefined && named.id !== writes.id) throw new Refusal('PATIENT_FORBIDDEN')
    return { id: writes.id, authority: writes.authority }
  }
  if (named === undefined) throw new Refusal('REQUEST_INVALID', { detail: 'a clinic says at /patient for whom it writes' })
  return { id: named.id, authority: writes.authority }
}
