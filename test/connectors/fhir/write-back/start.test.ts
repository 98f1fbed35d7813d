import { expect, it } from 'vitest'
import type { FhirClient, RawAnswer } from '../../../../connectors/fhir/http/index.ts'
import { writeBackOptions } from '../../../../connectors/fhir/write-back/options.ts'
import { startFhirWriteBack } from '../../../../connectors/fhir/write-back/start.ts'
import { PLAIN_MAPPING, type OutboundSource } from '../../../../connectors/kit/index.ts'
import { LatidoError } from '../../../../streams/errors/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { until } from '../../../kit/servers/index.ts'
import { FakeIntake } from '../../kit/fake-intake.ts'

const WITHIN_MS = 10_000
const quiet = (): OutboundSource => ({ next: async maxWaitMs => { await systemClock.sleep(maxWaitMs); return { items: [], done: () => Promise.resolve() } }, [Symbol.asyncDispose]: () => Promise.resolve() })
const answer = (status: number, body: object): RawAnswer => ({ status, headers: new Headers(), body: Buffer.from(JSON.stringify(body)), stream: undefined })

it('before there is anything to write, a server that is away, or no FHIR server, is said to be so; and one that says what it is is up', async () => {
  const asked: string[] = []
  let says: () => Promise<RawAnswer> = () => Promise.reject(new LatidoError('FHIR_UNREACHABLE', 'the FHIR server does not answer', 'start it'))
  const client = { baseUrl: 'http://ehr/fhir', fetch: (path: string) => { asked.push(path); return says() } } as unknown as FhirClient
  await using connector = startFhirWriteBack({
    name: 'fhir-out', client, source: quiet, options: writeBackOptions.parse({}), mapping: () => PLAIN_MAPPING, intake: new FakeIntake(), clock: systemClock, limits: { pollMs: 5, pauseMsMin: 1, pauseMsMax: 5 },
  })
  expect(connector.health()).toMatchObject({ state: 'waiting', why: 'not connected yet' })
  await until('away', WITHIN_MS, () => connector.health().why === 'the FHIR server does not answer')
  says = () => Promise.resolve(answer(404, { error: 'no such page' }))
  await until('another address', WITHIN_MS, () => connector.health().why === 'what answers there is no FHIR server (404 to /metadata)')
  says = () => Promise.resolve(answer(200, { resourceType: 'CapabilityStatement' }))
  await until('up', WITHIN_MS, () => connector.health().state === 'up')
  expect(new Set(asked)).toEqual(new Set(['metadata']))
})
