import { expect, it } from 'vitest'
import { isLoopback, refuseOpenExposure } from '../../../connectors/kit/index.ts'

const ask = (host: string, guarded: boolean): void => { refuseOpenExposure({ host, what: 'the feed', guarded, without: 'without a login', action: 'set one' }) }

it('whoever is guarded may listen anywhere, and anybody on this machine', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) { ask(host, false); ask(host, true) }
  for (const host of ['0.0.0.0', '::', '10.0.0.8', 'his.hospital']) ask(host, true)
})

it('nobody else listens beyond this machine', () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.8', 'his.hospital', '127.0.0.1.evil.example', '']) {
    expect(isLoopback(host)).toBe(false)
    expect(() => { ask(host, false) }).toThrow(expect.objectContaining({ code: 'UNSAFE_EXPOSURE', action: 'set one, or listen on 127.0.0.1' }))
  }
})
