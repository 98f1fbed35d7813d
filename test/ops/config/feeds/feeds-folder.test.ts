import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fhirConnector } from '../../../../connectors/fhir/index.ts'
import { hl7Connector } from '../../../../connectors/hl7/index.ts'
import { mqttConnector } from '../../../../connectors/mqtt/index.ts'
import { telemedicineConnector } from '../../../../connectors/telemedicine/index.ts'
import { anyKind, feedsInvalid, lineOfFault, readFeed, readFeeds, replaceFile, stampOf } from '../../../../ops/config/feeds/index.ts'
import { tempDir } from '../../../kit/temp-dir.ts'
import { LISTENING_TOY, TOY } from './toy-kind.ts'

const DEFAULTS = { zone: 'UTC', host: '127.0.0.1', httpPort: 8_080 }
let folder: string
let remove: () => void
beforeEach(() => { ({ path: folder, remove } = tempDir()) })
afterEach(() => { remove() })

const put = (file: string, text: string): void => { writeFileSync(join(folder, file), text) }
const faults = (): readonly string[] => readFeeds(folder, [TOY], DEFAULTS).faults.map(lineOfFault)

test('a feed is a file of its own, with its table of codes beside it', () => {
  put('lab.json', '{ "connector": "toy", "options": { "port": 7 }, "mapping": { "site": "north", "zone": "Europe/Madrid", "namespaces": { "LAB": "north" }, "units": { "Sch": "/min" } } }')
  put('lab.codes.csv', 'system,code,concept,unit\nL,p,heartRate,Sch\n')
  put('plain.json', '{"connector":"toy"}')
  put('README.txt', 'nobody reads this')
  const { feeds, faults: none } = readFeeds(folder, [TOY], DEFAULTS)
  expect(none).toEqual([])
  expect(feeds.map(({ name, mapping }) => [name, mapping])).toEqual([
    ['lab', { site: 'north', zone: 'Europe/Madrid', namespaces: new Map([['LAB', 'north']]), units: new Map([['Sch', '/min']]), codes: new Map([['L|P', { concept: 'heartRate', unit: 'Sch' }]]) }],
    ['plain', { site: '', zone: 'UTC', namespaces: new Map(), units: new Map(), codes: new Map() }],
  ])
})

test('everything that is wrong is told at once, each with its file and line', () => {
  put('a.json', '{\n  "connector": "toy",\n  "options": {\n    "port": 99999,\n    "prot": 1,\n    "tls": { "certificate": "a",\n      "kee": "b" }\n  }\n}')
  put('b.json', '{\n "connector": "toi"\n}')
  put('c.json', '{\n "connector": "toy",\n "mapping": { "zone": "Europe/Madird",\n  "units": { "x":\n   "zz" } },\n "more": 1 }')
  put('d.json', '{\n "connector": "toy",\n "options": {}\n "mapping": {}\n}')
  put('e.json', '{\n "connector": "toy",\n "connector": "toy" }')
  put('f.json', '{"connector":"toy"}')
  put('f.codes.csv', 'system,code,concept,unit\nL,a,nothing,\n')
  put('g.codes.csv', 'system,code,concept,unit\n')
  put('H.json', '{"connector":"toy"}')
  expect(faults()).toEqual([
    'g.codes.csv:1: there is no feed g.json',
    "H.json:1: a feed's name has small letters, digits and \"-\", begins with a letter, and has at most 32 characters",
    'a.json:5: options.prot: there is no such option; did you mean "port"? There are: port, tls',
    'a.json:4: options.port: it is 99999; expected: at most 65535',
    'a.json:7: options.tls.kee: there is no such option; there are: certificate',
    'b.json:2: connector: there is no connector "toi"; there are: toy',
    'c.json:3: mapping.zone: there is no time zone of that name; write one as Europe/Madrid',
    'c.json:4: mapping.units.x: no concept can be measured in this unit',
    'c.json:6: more: there is no such option; there are: connector, options, mapping',
    'd.json:4: a comma or } is missing',
    'e.json:3: "connector" stands twice',
    'f.codes.csv:2: there is no concept "nothing"; docs/clinical-limits.md lists them',
  ])
})

test('a file that ends too early, holds something else, or is empty is told so', () => {
  for (const [text, why] of [['', 'it ends too early'], ['{"connector": ', 'it ends too early'], ['{"connector": toy}', 'a value is missing or not JSON'], ['{"connector":"toy"} x', 'there is text behind the end'], ['{"connector":"\\q"}', 'a text has a bad escape or a control character'], ['['.repeat(50), 'it is nested too deep']] as const) {
    put('a.json', text)
    expect(faults()).toEqual([`a.json:1: ${why}`])
  }
})

test('what is wrong with the subscriptions of a FHIR feed is told with all else, before it starts', () => {
  put('ehr.json', '{ "connector": "fhir", "options": {\n "baseUrl": "https://ehr.example/fhir", "mode": "subscription",\n "pageSize": 0,\n "subscription": {\n  "prot": 1,\n  "subscriptions": [] } } }')
  expect(readFeeds(folder, [anyKind(fhirConnector)], DEFAULTS).faults.map(({ line, why }) => [line, why.split(':')[0]])).toEqual([[3, 'options.pageSize'], [6, 'options.subscription.subscriptions'], [5, 'options.subscription.prot']])
})

test('two feeds on one port are told, at the later one; other addresses and free ports are no fault', () => {
  const at = (host: string, port: number): string => `{\n "connector": "hl7",\n "options": { "host": "${host}",\n  "port": ${port} } }`
  const listening = anyKind({ ...hl7Connector })
  const told = (): readonly string[] => readFeeds(folder, [listening], DEFAULTS).faults.map(lineOfFault)
  put('a.json', at('127.0.0.1', 2_575))
  put('b.json', at('127.0.0.2', 2_575))
  put('c.json', at('127.0.0.1', 0))
  put('d.json', at('127.0.0.1', 0))
  expect(told()).toEqual([])
  put('e.json', at('127.0.0.1', 2_575))
  put('f.json', at('0.0.0.0', 2_575))
  expect(told()).toEqual(['e.json:4: options.port: port 2575 is that of a.json already; each feed needs one of its own', 'f.json:4: options.port: port 2575 is that of a.json already; each feed needs one of its own'])
  expect(readFeeds(folder, [listening], DEFAULTS).feeds.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
})

test('every kind that says where it listens is asked: users\' own and subscriptions too, and the dashboards have their port', () => {
  const kinds = [anyKind(hl7Connector), anyKind(mqttConnector), anyKind(telemedicineConnector), anyKind(fhirConnector), LISTENING_TOY]
  const ehr = (port: number, mode = 'subscription'): string => `{ "connector": "fhir", "options": { "baseUrl": "https://ehr.example/fhir", "mode": "${mode}",\n "subscription": {\n "port": ${port}, "subscriptions": [{ "key": "a", "criteria": "Observation" }] } } }`
  put('a.json', '{ "connector": "toy", "options": { "port": 7001 } }')
  put('b.json', ehr(7_001))
  put('c.json', ehr(7_001, 'polling'))
  put('d.json', '{ "connector": "mqtt", "options": { "port": 7001 } }')
  put('e.json', '{ "connector": "telemedicine", "options": { "port": 8080 } }')
  put('f.json', '{ "connector": "hl7", "options": { "host": "127.0.0.2", "port": 8080 } }')
  const read = readFeeds(folder, kinds, DEFAULTS)
  expect(read.faults.map(lineOfFault)).toEqual([
    'b.json:3: options.subscription.port: port 7001 is that of a.json already; each feed needs one of its own', 'd.json:1: options.port: port 7001 is that of a.json already; each feed needs one of its own',
    'e.json:1: options.port: port 8080 is that of the pages and the API (--http-port) already; each feed needs one of its own',
  ])
  expect(readFeeds(folder, kinds, { ...DEFAULTS, host: '0.0.0.0' }).faults.map(({ file }) => file)).toEqual(['b.json', 'd.json', 'e.json', 'f.json'])
})

test('the failure names every fault, and no folder', () => {
  put('a.json', '{"connector":"nope"}')
  put('b.json', '')
  const failure = feedsInvalid(readFeeds(folder, [TOY], DEFAULTS).faults)
  expect([failure.code, failure.message]).toEqual(['CONFIG_INVALID', 'a.json:1: connector: there is no connector "nope"; there are: toy\nb.json:1: it ends too early\n2 faults in the files of the feeds'])
  expect(failure.message).not.toContain(folder)
  expect(feedsInvalid([{ file: 'a.codes.csv', line: 2, why: '' }]).code).toBe('FILE_INVALID')
})

test('a folder that is not there is unreadable', () => {
  expect(() => readFeeds(join(folder, 'nowhere'), [TOY], DEFAULTS)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
})

test('a file is replaced whole, and nothing is left beside it', () => {
  put('a.codes.csv', 'old')
  replaceFile(folder, 'a.codes.csv', 'new')
  expect(readFileSync(join(folder, 'a.codes.csv'), 'utf8')).toBe('new')
  expect(readdirSync(folder)).toEqual(['a.codes.csv'])
  expect(() => { replaceFile(join(folder, 'nowhere'), 'a.codes.csv', 'new') }).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
})

test('a change of a file changes the stamp, and another file does not', () => {
  put('a.json', '{"connector":"toy"}')
  const before = stampOf(folder)
  mkdirSync(join(folder, 'sub'))
  put('note.txt', 'x')
  expect(stampOf(folder)).toBe(before)
  utimesSync(join(folder, 'a.json'), 5, 5)
  expect(stampOf(folder)).not.toBe(before)
})

test('one feed is read alone', () => {
  put('a.json', '{"connector":"toy"}')
  put('b.json', '{')
  expect(readFeed(folder, 'a', [TOY], DEFAULTS).kind).toBe('ok')
})
