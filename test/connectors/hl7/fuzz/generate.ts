import { existsSync } from 'node:fs'
import { readHl7File } from '../../../../connectors/hl7/index.ts'
import { SeededRandom } from '../../../kit/random.ts'
import { adt, hl7, oru } from '../support.ts'

/** Draws from a seed. */
export class Draw extends SeededRandom {
  of<T> (all: readonly T[]): T { return all[this.below(all.length)]! }
  bytes (n: number): Buffer { return Buffer.from(Array.from({ length: n }, () => this.below(256))) }
}

const CORPUS = new URL('../../../../../shared/data/hl7/messages.jsonl', import.meta.url).pathname
/** Larger ones would make the run about parsing. */
const BYTES_MAX = 4_096

/** Messages to begin with: those of public test suites where they are, and always some of our own. */
export async function seedMessages (): Promise<{ readonly messages: readonly Buffer[], readonly corpus: boolean }> {
  const own = [
    oru('F1', 'OBX|1|NM|8867-4^Heart rate^LN||88|/min|||||F', 'OBX|2|SN|6690-2^Leukocytes^LN||<^0.5|10*3/uL|||||P'),
    oru('F2', 'OBX|1|ST|67775-7^Consciousness^LN||Alert', 'NTE|1||a \\F\\ b'),
    adt('A01', 'F3', 'EVN||20260314110000', 'PID|1||77^^^HOSP^MR||Ñandú^Ana', 'PV1|1|I|W7^^B2'),
    adt('A40', 'F4', 'EVN||20260314110000', 'PID|1||77^^^HOSP^MR', 'MRG|78^^^HOSP^MR'),
    hl7('MSH$%*?@$LAB$W$L$H$20260314115900$$ORU%R01$F5$P$2.5$$$AL$AL', 'PID$1$$9', 'OBR$1$$$$$$20260314', 'OBX$1$NM$8867-4%%LN$$88'),
    hl7('FHS|^~\\&|A|B|C|D|1||||F-1', 'BHS|^~\\&|A|B|C|D|1||||B-1', 'MSH|^~\\&|A|B|C|D|20260314||ADT^A03|F6|P|2.3', 'PID|1||5', 'BTS|1', 'FTS|1'),
    Buffer.from('not HL7 at all'), Buffer.alloc(0),
  ]
  if (!existsSync(CORPUS)) return { messages: own, corpus: false }
  const all: Buffer[] = []
  for await (const raw of readHl7File(CORPUS)) if (raw.length <= BYTES_MAX) all.push(raw)
  return { messages: [...all, ...own], corpus: true }
}

type Mutation = (message: Buffer, draw: Draw, messages: readonly Buffer[]) => Buffer

const cutOut = (b: Buffer, from: number, n: number): Buffer => Buffer.concat([b.subarray(0, from), b.subarray(from + n)])
const putIn = (b: Buffer, at: number, what: Buffer): Buffer => Buffer.concat([b.subarray(0, at), what, b.subarray(at)])
/** Bytes that mean something to a parser. */
const LOADED = ['|', '^', '~', '\\', '&', '\r', '\n', '\r\n', '""', '\\X0D\\', '\\F\\', 'MSH|', 'OBX|', 'PID|||', 'BTS|1\r', '\xff\xfe', '\xc3', '\x00', 'ACK', '9'.repeat(400), '|'.repeat(500), '^'.repeat(300), '\r'.repeat(200)].map(text => Buffer.from(text, 'latin1'))

const MUTATIONS: readonly Mutation[] = [
  (m, d) => m.subarray(0, d.below(m.length + 1)),
  (m, d) => m.subarray(d.below(m.length + 1)),
  (m, d) => { const b = Buffer.from(m); for (let i = d.below(6); i >= 0 && b.length > 0; i--) b[d.below(b.length)] = d.below(256); return b },
  (m, d) => cutOut(m, d.below(m.length + 1), d.below(80)),
  (m, d) => { const at = d.below(m.length + 1); return putIn(m, at, m.subarray(at, at + d.below(200))) },
  (m, d) => putIn(m, d.below(m.length + 1), d.of(LOADED)),
  (m, d) => putIn(m, d.below(m.length + 1), d.bytes(d.below(60))),
  (m, d, all) => { const other = d.of(all); return Buffer.concat([m.subarray(0, d.below(m.length + 1)), other.subarray(d.below(other.length + 1))]) },
  (m, d, all) => Buffer.concat([m, d.of(all)]),
  (m, d) => Buffer.from(m.toString('latin1').replaceAll('\r', d.of(['\n', '\r\n', '\r\r', '\n\r', ' '])), 'latin1'),
  (m, d) => field(m, 2 + d.below(19), d.of(['', 'AL', 'NE', 'ER', 'SU', 'ORU^R01', 'ADT^A40', 'ACK', '8859/1', 'UNICODE UTF-16', '2.1', '99', 'x'.repeat(500), '^^^', '~'])),
  (m, d, all) => Buffer.concat([Buffer.from(d.of(['FHS|^~\\&|A\rBHS|^~\\&|B\r', 'BHS|^~\\&|B||||||||7\r', 'BHS^~|\\&\r', 'BHS|\r'])), m, d.of(all), Buffer.from(d.of(['', 'BTS|2\r', 'BTS|2\rFTS|1\r', 'x\r']))]),
]

/** MSH-n, or what is one if the delimiter is `|`. */
function field (m: Buffer, n: number, value: string): Buffer {
  const text = m.toString('latin1')
  const end = text.search(/[\r\n]/)
  const fields = (end < 0 ? text : text.slice(0, end)).split('|')
  while (fields.length < n) fields.push('')
  fields[n - 1] = value
  return Buffer.from(fields.join('|') + (end < 0 ? '' : text.slice(end)), 'latin1')
}

/** A payload: as it is, or mutated once or more. */
export function payload (draw: Draw, messages: readonly Buffer[], bytesMax: number): Buffer {
  let made = draw.of(messages)
  if (draw.chance(0.002)) return Buffer.concat([made, Buffer.alloc(bytesMax + draw.below(5_000), draw.of(['x', '|', '\r', 'é']))])
  if (draw.chance(0.2)) return made
  for (let n = 1 + draw.below(3); n > 0; n--) made = draw.of(MUTATIONS)(made, draw, messages)
  return made
}

/** A frame with whatever may be wrong with frames. */
export function framed (draw: Draw, body: Buffer): Buffer {
  const vt = draw.chance(0.97) ? '\x0b' : draw.of(['', '\x0b\x0b', '\x0bhalf a fra\x0b', 'MSH|'])
  const end = draw.chance(0.94) ? '\x1c\r' : draw.of(['\x1c', '', '\x1c\r\n', '\x1c\x1c\r', '\r', '\x1c\r\r\r'])
  const junk = draw.chance(0.04) ? draw.of([Buffer.from('\r\n'), Buffer.from('junk'), Buffer.from('\x1c'), draw.bytes(draw.below(40))]) : Buffer.alloc(0)
  return Buffer.concat([junk, Buffer.from(vt, 'latin1'), body, Buffer.from(end, 'latin1')])
}

const DRIP_BYTES = 200

/** The stream in pieces, as a network might bring it; some of it drips, a byte or two at a time. */
export function pieces (draw: Draw, stream: Buffer): readonly Buffer[] {
  const all: Buffer[] = []
  const typical = draw.of([200, 1_400, 1_400, 16_000, 65_536])
  let dripUntil = -1
  for (let at = 0; at < stream.length;) {
    if (draw.chance(0.02)) dripUntil = at + DRIP_BYTES
    const n = 1 + draw.below(at < dripUntil ? 2 : typical)
    all.push(stream.subarray(at, at + n))
    at += n
  }
  return all
}
