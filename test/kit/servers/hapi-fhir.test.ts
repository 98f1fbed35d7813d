import { beforeAll, expect, it } from 'vitest'
import { describeWith, sharedHapiFhir } from './index.ts'

const START_MS = 300_000

;(await describeWith('hapiFhir'))('a real FHIR server', () => {
  let url = ''
  beforeAll(async () => { url = (await sharedHapiFhir()).url }, START_MS)

  it('stores a version of a patient under each write, and refuses a write that rests on an old one', async () => {
    const put = async (family: string, match: string): Promise<Response> => await fetch(`${url}/Patient/kit-1`, {
      method: 'PUT', headers: { 'content-type': 'application/fhir+json', ...match === '' ? {} : { 'if-match': match } },
      body: JSON.stringify({ resourceType: 'Patient', id: 'kit-1', name: [{ family }] }),
    })
    const first = await put('One', '')
    expect([first.status, first.headers.get('etag')]).toEqual([201, 'W/"1"'])
    expect((await put('Two', 'W/"1"')).headers.get('etag')).toBe('W/"2"')
    expect((await put('Three', 'W/"1"')).status).toBe(409)
  })
})
