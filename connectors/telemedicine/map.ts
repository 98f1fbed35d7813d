import { note, identifierOf, type MapContext, type MappedEvent, type MessageMapper, type Notices, type RefusedPart } from '../kit/index.ts'
import type { Observation } from '../../streams/events/index.ts'
import { canonical, readEnvelope, writeEnvelope, type Envelope, type ItemFault } from './envelope.ts'
import type { Mapped } from './mapped.ts'
import { mapObservation } from './map-observation.ts'
import { mapQuestionnaire } from './map-questionnaire.ts'
import { mapSymptom } from './map-symptom.ts'
import type { TelemedicineOptions } from './options.ts'

/** A request's items to events: readings become one observation set, each symptom and each scored answer a statement. An item is taken whole or refused whole. */
export function telemedicineMapper (options: TelemedicineOptions): MessageMapper<ItemFault> {
  const source = `telemedicine:${options.source}`
  return (raw, context) => {
    const notices: Notices = new Map()
    const reject = (cause: 'malformed' | 'patient-missing', detail: string): ReturnType<MessageMapper<ItemFault>> => ({ kind: 'rejected', source, fault: { cause, detail, index: 0, path: '' }, notices })
    const message = readEnvelope(raw)
    if (message === undefined) return reject('malformed', 'not a request that was taken here')
    const { id, part, kind, patient, items } = message
    const patientId = identifierOf(context.mapping, patient.authority, patient.id)
    if (patientId === undefined) return reject('patient-missing', 'the mapping does not know the authority of the patient\'s identifier')
    const { observations, statements, refused } = mapItems(message, context, options, source, notices)
    const set = observations.length === 0 ? [] : [{ patient: { id: patientId }, event: { type: 'observations', kind: 'charted', source, observations } } satisfies MappedEvent]
    return {
      kind: 'mapped', source, notices, refused,
      id: part === undefined ? id : `${id}/${part}`,
      content: Buffer.from(canonical({ kind, patient, items })),
      events: [...set, ...statements.map(event => ({ patient: { id: patientId }, event }))],
    }
  }
}

interface MappedItems {
  readonly observations: readonly Observation[]
  readonly statements: readonly Extract<MappedEvent['event'], { type: 'statement' }>[]
  readonly refused: readonly RefusedPart<ItemFault>[]
}

function mapItems (message: Envelope, context: MapContext, options: TelemedicineOptions, source: string, notices: Notices): MappedItems {
  const observations: Observation[] = []
  const statements: Extract<MappedEvent['event'], { type: 'statement' }>[] = []
  const refused: RefusedPart<ItemFault>[] = []
  const seen = new Map<string, string>()
  message.items.forEach((item, i) => {
    const index = message.part ?? i
    const mapped = unlessTwice(mapItem(message.kind, item, { context, options, source, notices }), item, seen, notices)
    switch (mapped.kind) {
      case 'refused': {
        const { cause, path, detail } = mapped
        refused.push({ fault: { cause, detail: `items[${index}]: ${detail}`, index, path: `/items/${index}${path}` }, raw: writeEnvelope({ ...message, part: index, items: [item] }) })
        break
      }
      case 'observation': observations.push(mapped.observation); break
      case 'statements': statements.push(...mapped.statements); break
      case 'nothing': break
    }
  })
  return { observations, statements, refused }
}

function mapItem (kind: Envelope['kind'], item: unknown, setting: Parameters<typeof mapObservation>[1]): Mapped {
  switch (kind) {
    case 'observations': return mapObservation(item, setting)
    case 'symptoms': return mapSymptom(item, setting)
    case 'questionnaires': return mapQuestionnaire(item, setting)
  }
}

/** An item that stands twice in a request counts once; two that contradict each other do not both stand. */
function unlessTwice (mapped: Mapped, item: unknown, seen: Map<string, string>, notices: Notices): Mapped {
  if (mapped.kind !== 'observation' && mapped.kind !== 'statements') return mapped
  const content = canonical(item)
  const before = seen.get(mapped.identity)
  if (before === undefined) { seen.set(mapped.identity, content); return mapped }
  if (before !== content) return { kind: 'refused', cause: 'duplicate', path: '', detail: 'an earlier item of the request says something else of the same' }
  note(notices, 'item-twice')
  return { kind: 'nothing' }
}
