import { expect, it } from 'vitest'
import type { FhirClient } from '../../../../connectors/fhir/http/index.ts'
import { deletionMessage, type References } from '../../../../connectors/fhir/polling/index.ts'
import { readEnvelope } from '../../../../connectors/fhir/resources/index.ts'
import { heartRate, patient } from '../support.ts'

const DONE = '2031-05-06T09:41:07.250Z'
const NOTICED = '2031-05-06T09:41:07.999Z'
const references = { includesOf: () => Promise.resolve([patient('p1')]) } as unknown as References
const clientOf = (status: number, body: string): FhirClient => ({ fetch: () => Promise.resolve({ status, body: Buffer.from(body) }) }) as unknown as FhirClient
const historyOf = (lastModified: string | undefined): string => JSON.stringify({ resourceType: 'Bundle', type: 'history', entry: [{ request: { method: 'DELETE', url: 'Observation/o1' }, response: { status: '204', lastModified } }, { resource: heartRate('o1', 80), request: { method: 'PUT', url: 'Observation/o1' } }] })

it.each([
  ['its own time, where it is told with one', { at: DONE, noticedAt: NOTICED }, 200, historyOf('2031-05-06T09:00:00Z'), DONE, 2],
  ['the time that the history says', { noticedAt: NOTICED }, 200, historyOf(DONE), DONE, 2],
  ['the time by which it was noticed, where the history does not say', { noticedAt: NOTICED }, 200, historyOf(undefined), NOTICED, 2],
  ['the time by which it was noticed, where there is no history', { noticedAt: NOTICED }, 405, '', NOTICED, 0],
  ['the time by which it was noticed, where the history cannot be read', { noticedAt: NOTICED }, 200, '<html>', NOTICED, 0],
])('a deletion is of %s', async (_, times, status, body, at, includes) => {
  const raw = await deletionMessage(clientOf(status, body), references, { type: 'Observation', id: 'o1', ...times }, AbortSignal.timeout(60_000))
  const read = readEnvelope(raw)
  expect(read.kind === 'ok' ? [read.envelope.said, read.envelope.includes.length] : read).toEqual([[{ kind: 'deletion', type: 'Observation', id: 'o1', at }], includes])
})
