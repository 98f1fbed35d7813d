import { describe, expect, it } from 'vitest'
import { formatTime, offsetOf, parseTime } from '../../../connectors/hl7/time.ts'
import { parseConfig } from '../../../ops/config/index.ts'
import { isZone } from '../../../streams/time/index.ts'

const UTC = { zone: 'UTC' }
const MADRID = { zone: 'Europe/Madrid' }
const iso = (text: string, defaults: Parameters<typeof parseTime>[1] = UTC): string => {
  const t = parseTime(text, defaults)
  return t.kind === 'time' ? `${new Date(t.start).toISOString()} ${t.precision} ${t.offset}` : t.kind
}

describe('HL7 times', () => {
  it('keep their precision as a half-open interval', () => {
    const span = (text: string): string => { const t = parseTime(text, UTC); return t.kind === 'time' ? `${new Date(t.start).toISOString()}/${new Date(t.end).toISOString()}` : t.kind }
    expect(span('2024')).toBe('2024-01-01T00:00:00.000Z/2025-01-01T00:00:00.000Z')
    expect(span('202402')).toBe('2024-02-01T00:00:00.000Z/2024-03-01T00:00:00.000Z')
    expect(span('20240229')).toBe('2024-02-29T00:00:00.000Z/2024-03-01T00:00:00.000Z')
    expect(span('2024022907')).toBe('2024-02-29T07:00:00.000Z/2024-02-29T08:00:00.000Z')
    expect(span('202402290705')).toBe('2024-02-29T07:05:00.000Z/2024-02-29T07:06:00.000Z')
    expect(span('20240229070503')).toBe('2024-02-29T07:05:03.000Z/2024-02-29T07:05:04.000Z')
    expect(span('20240229070503.0291')).toBe('2024-02-29T07:05:03.029Z/2024-02-29T07:05:03.030Z')
  })
  it('take their own offset, else the message\'s, else the zone\'s', () => {
    expect(iso('20260314120000-0500', { zone: 'Europe/Madrid', messageOffsetMinutes: 60 })).toBe('2026-03-14T17:00:00.000Z second value')
    expect(iso('20260314120000', { zone: 'Europe/Madrid', messageOffsetMinutes: 330 })).toBe('2026-03-14T06:30:00.000Z second message')
    expect(iso('20260714120000', MADRID)).toBe('2026-07-14T10:00:00.000Z second zone')
    expect(iso('202603141200+0530')).toBe('2026-03-14T06:30:00.000Z minute value')
    expect([offsetOf('20260314120000.1-0330'), offsetOf('20260314120000'), offsetOf('')]).toEqual([-210, undefined, undefined])
  })
  it('follow the stated rule where clocks change', () => {
    expect(iso('20260329023000', MADRID)).toBe('2026-03-29T01:30:00.000Z second zone')
    expect(iso('20261025023000', MADRID)).toBe('2026-10-25T00:30:00.000Z second zone')
    expect(iso('20261025013000', MADRID)).toBe('2026-10-24T23:30:00.000Z second zone')
    expect(iso('20261025033000', MADRID)).toBe('2026-10-25T02:30:00.000Z second zone')
    expect(iso('20261101013000', { zone: 'America/New_York' })).toBe('2026-11-01T05:30:00.000Z second zone')
  })
  it('are unparsable where they name no moment', () => {
    for (const bad of ['20240100', '2024010', '20230229', '20241301', '2024-01-01', '2024010124', '202401011260', '20240101120060', '20260314120000+1500', '20260314120000+0060', 'NOW', '2026031412000012', '20260314120000123', '00010101']) expect(iso(bad)).toBe('unparsable')
    expect([iso(''), iso('""'), iso('  ')]).toEqual(['empty', 'empty', 'empty'])
  })
  it('are written in UTC', () => { expect(formatTime(Date.UTC(2026, 2, 4, 5, 6, 7, 8))).toBe('20260304050607+0000') })
  it('need a zone that exists', () => {
    expect(isZone('Mars/Olympus')).toBe(false)
    expect(() => parseConfig(['--zone', 'Mars/Olympus'], {})).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
