import { describe, expect, it } from 'vitest'
import { hl7SenderSchema, type Hl7SenderOptions } from '../../../../connectors/hl7/index.ts'
import { alertMessage, clinicalScoreMessage, scoreMessage } from '../../../../connectors/hl7/outbound/messages.ts'
import { escaped, number } from '../../../../connectors/hl7/outbound/write.ts'
import type { OutboundClinicalScore } from '../../../../connectors/kit/index.ts'
import { alert, clinicalScore, score, T } from './items.ts'

const options: Hl7SenderOptions = hl7SenderSchema.parse({ host: '127.0.0.1', port: 2575, receivingApplication: 'PAGER', receivingFacility: 'HOSP' })
const lines = (raw: Buffer): string[] => raw.toString().split('\r').slice(0, -1)
/** OBX-5 by the code in OBX-3. */
const facets = (raw: Buffer): Record<string, string> => Object.fromEntries(lines(raw).filter(line => line.startsWith('OBX')).map(line => { const f = line.split('|'); return [f[3]!.split('^')[0]!, f[5]!] }))

describe('an alert as ORU^R40', () => {
  it('has the facets of IHE PCD-04, the alert\'s id as filler number, and no name', () => {
    const raw = alertMessage(alert(), options, T)
    const id = lines(raw)[0]!.split('|')[9]!
    expect(lines(raw)).toEqual([
      `MSH|^~\\&|LATIDO||PAGER|HOSP|20260314120000+0000||ORU^R40^ORU_R40|${id}|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO`,
      'PID|1||MRN-77^^^HOSP^MR||^^^^^^U',
      'PV1|1|I|W7^^2',
      'OBR|1||alert-1^LATIDO|196616^MDC_EVT_ALARM^MDC|||20260314115900+0000|||||||||||||||20260314120000+0000',
      'OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|news2-emergency^news2-emergency^99LATIDO||||||F|||20260314120000+0000',
      'OBX|2|NM|1104051000000101^Royal College of Physicians National Early Warning Score 2 - total score^SCT|1.0.0.0.2|8||<7||||F|||20260314120000+0000',
      'OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.0.0.0.3|start||||||F|||20260314120000+0000',
      'OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.0.0.0.4|active||||||F|||20260314120000+0000',
      'OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.0.0.0.5|enabled||||||F|||20260314120000+0000',
      'OBX|6|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.0.0.0.6|PH||||||F|||20260314120000+0000',
      'OBX|7|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.0.0.0.7|SP||||||F|||20260314120000+0000',
      'OBX|8|NM|news2Respiration^news2Respiration^99LATIDO|2.1|28||||||F|||20260314115900+0000',
    ])
  })
  it.each([
    [{}, 'start', 'active', 'enabled'],
    [{ changedAt: T + 5_000, value: 9 }, 'continue', 'active', 'enabled'],
    [{ state: 'acknowledged', changedAt: T + 5_000 }, 'continue', 'active', 'alert-acknowledged'],
    [{ state: 'latched', changedAt: T + 5_000 }, 'continue', 'latched', 'enabled'],
    [{ state: 'cleared', changedAt: T + 5_000 }, 'end', 'inactive', 'enabled'],
  ] as const)('that is %j is in phase %s, state %s, %s', (change, phase, state, inactivation) => {
    expect(facets(alertMessage(alert(change), options, T))).toMatchObject({ 68481: phase, 68482: state, 68483: inactivation })
  })
  it.each([['high', 'PH'], ['medium', 'PM'], ['low', 'PL']] as const)('of priority %s is %s', (priority, facet) => {
    expect(facets(alertMessage(alert({ priority }), options, T))[68484]).toBe(facet)
  })
  it('of silence is technical and has no value', () => {
    const raw = alertMessage(alert({ rule: 'no-data', priority: 'low', value: NaN, threshold: 300, reasons: [] }), options, T)
    expect(facets(raw)).toEqual({ 196616: 'no-data^no-data^99LATIDO', 68481: 'start', 68482: 'active', 68483: 'enabled', 68484: 'PL', 68485: 'ST' })
  })
  it('that ends because its patient is another now says so', () => {
    expect(lines(alertMessage(alert({ state: 'cleared', reasons: [{ feature: 'merged', value: null, contribution: 0, eventTime: T }] }), options, T)).at(-1)).toBe('NTE|1||Ended because the patient was merged into another')
  })
  it('has the processing id and the version that the receiver wants', () => {
    const own = hl7SenderSchema.parse({ host: '127.0.0.1', port: 1, processingId: 'T', version: '2.5.1' })
    expect(lines(alertMessage(alert(), own, T))[0]).toMatch(/\|T\|2\.5\.1\|\|\|AL\|NE\|/)
    expect(hl7SenderSchema.safeParse({ host: 'x', port: 1, version: '3' }).success).toBe(false)
  })
  it('with parts of its score missing says that the value is a lower bound', () => {
    expect(lines(alertMessage(alert({ missing: ['news2Temperature'] }), options, T)).find(line => line.startsWith('OBX|2'))).toMatch(/^OBX\|2\|SN\|1104051000000101\^.*\|1\.0\.0\.0\.2\|>=\^8\|/)
  })
  it('has one control id for ever, and another for each change', () => {
    const idOf = (changes: Parameters<typeof alert>[0], now = T): string => lines(alertMessage(alert(changes), options, now))[0]!.split('|')[9]!
    expect(idOf({}, T + 999_000)).toBe(idOf({}))
    expect(new Set([idOf({}), idOf({ changedAt: T + 1 }), idOf({ state: 'acknowledged' }), idOf({ id: 'alert-2' })]).size).toBe(4)
    expect(idOf({})).toMatch(/^[0-9a-f]{20}$/)
  })
})

describe('a score as ORU^R01', () => {
  it('has its value under the receiver\'s code, and what it rests on', () => {
    const named = hl7SenderSchema.parse({ host: '127.0.0.1', port: 1, codes: { sepsis: { code: '99999-9', text: 'Sepsis', system: 'LN' } } })
    const raw = scoreMessage(score(), named, T)
    const id = lines(raw)[0]!.split('|')[9]!
    expect(lines(raw).slice(1)).toEqual([
      'PID|1||MRN-77^^^^MR||^^^^^^U',
      `OBR|1||${id}^LATIDO|99999-9^Sepsis^LN|||20260314120000+0000|||||||||||||||20260314120000+0000|||F`,
      'OBX|1|NM|99999-9^Sepsis^LN|1|0.4215|1|||||F|||20260314120000+0000||||sepsis@1',
      'OBX|2|NM|lactateLast^lactateLast^99LATIDO|2.1|3.1||||||F|||20260314115959+0000',
    ])
  })
})

describe('a clinical score as ORU^R01', () => {
  const rows = (changes: Partial<OutboundClinicalScore> = {}): readonly string[] => lines(clinicalScoreMessage(clinicalScore(changes), options, T)).slice(2)
  it('has its sum as a lower bound where parts are missing, its parts by their codes, and says which are missing', () => {
    expect(rows()).toEqual([
      expect.stringMatching(/^OBR\|1\|\|[0-9a-f]{20}\^LATIDO\|1104051000000101\^.*\^SCT\|\|\|20260314120000\+0000\|.*\|\|\|F$/),
      'OBX|1|SN|1104051000000101^Royal College of Physicians National Early Warning Score 2 - total score^SCT|1|>=^7|{score}^^UCUM|||||F|||20260314120000+0000||||news2@1',
      'NTE|1||Lower bound; missing: Royal College of Physicians National Early Warning Score 2 - temperature score',
      'OBX|2|NM|1104301000000104^Royal College of Physicians National Early Warning Score 2 - respiration rate score^SCT|2.1|3|{score}^^UCUM|||||F|||20260314115900+0000',
      'OBX|3|NM|news2Spo2^NEWS2 oxygen saturation score^99LATIDO|2.2|1|{score}^^UCUM|||||F|||20260314115900+0000',
      ...[3, 4, 5, 6].map(n => expect.stringMatching(new RegExp(`^OBX\\|${n + 1}\\|NM\\|11043\\d+\\^.*\\|2\\.${n}\\|[012]\\|`))),
    ])
  })
  it('that is whole is a number; a ratio has no parts', () => {
    expect(rows({ missing: [] })[1]).toMatch(/^OBX\|1\|NM\|.*\|1\|7\|\{score\}/)
    expect(rows({ score: 'shockIndex', basis: 'deterioration@1', value: 1.0625, missing: [], parts: [] }).slice(1)).toEqual(['OBX|1|NM|98909-5^Shock index^LN|1|1.0625|{ratio}^^UCUM|||||F|||20260314120000+0000||||deterioration@1'])
  })
  it('has the receiver\'s own code where it wants one, and one control id for ever', () => {
    const own = hl7SenderSchema.parse({ host: '127.0.0.1', port: 1, codes: { news2: { code: 'EWS', text: 'Early warning', system: 'L' } } })
    expect(lines(clinicalScoreMessage(clinicalScore(), own, T))[3]).toMatch(/^OBX\|1\|SN\|EWS\^Early warning\^L\|/)
    const idOf = (changes: Partial<OutboundClinicalScore>, now = T): string => lines(clinicalScoreMessage(clinicalScore(changes), options, now))[0]!.split('|')[9]!
    expect(idOf({}, T + 9)).toBe(idOf({}))
    expect(new Set([idOf({}), idOf({ asOf: T + 1 }), idOf({ score: 'mews' }), idOf({ patient: { id: 'X' } })]).size).toBe(4)
  })
})

describe('what is written', () => {
  it('cannot break a message', () => {
    expect(escaped('a|b^c~d\\e&f\rg\nh')).toBe('a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f g h')
    const raw = alertMessage(alert({ patient: { id: 'A^B|C\rPID|' }, place: { ward: 'W|7', bed: '&' }, id: 'x\ry' }), options, T)
    expect(lines(raw).map(line => line.slice(0, 3)).join(' ')).toBe('MSH PID PV1 OBR OBX OBX OBX OBX OBX OBX OBX OBX')
    expect(lines(raw)[1]).toBe('PID|1||C PID\\F\\^^^A\\S\\B^MR||^^^^^^U')
  })
  it('has numbers without exponents', () => {
    expect([0, 8, 0.5, 1e-5, 123_456_789, 1e21, 0.123456789].map(number)).toEqual(['0', '8', '0.5', '0.00001', '123456789', '1000000000000000000000', '0.123457'])
  })
})
