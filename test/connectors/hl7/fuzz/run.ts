import { connect, type Socket } from 'node:net'
import { startHl7 } from '../../../../connectors/hl7/index.ts'
import type { Intake, RefusedInput } from '../../../../connectors/kit/index.ts'
import { systemClock } from '../../../../streams/time/index.ts'
import { hl7Feed, NOW, oru, portOf } from '../support.ts'
import { Draw, framed, payload, pieces, seedMessages } from './generate.ts'
import { framesOf, isStranger, messagesIn, owedFor } from './twin.ts'

export interface FuzzOptions {
  readonly frames: number
  readonly seed: number
  readonly connections: number
  /** Each round of a connection must be answered within this time. */
  readonly deadlineMs: number
  /** Called now and then with how far it is. */
  readonly progress?: (frames: number) => void
}

export interface FuzzResult {
  readonly frames: number
  readonly owed: number
  readonly codes: Readonly<Record<string, number>>
  readonly counts: ReadonlyMap<string, number>
  readonly connections: number
  readonly corpus: boolean
}

const FRAME_BYTES_MAX = 65_536
const FRAMES_A_ROUND = 60
const VT = 0x0b
const FS = 0x1c

/** Keeps nothing: what it holds at the end is what the listener leaks. */
class CountingIntake implements Intake {
  readonly counts = new Map<string, number>()
  publish (): ReturnType<Intake['publish']> { return Promise.resolve({ kind: 'published', arrival: NOW }) }
  refuse ({ cause, detail }: RefusedInput): Promise<void> {
    this.count('', `refused-${cause}`)
    return cause === 'step-failed' ? Promise.reject(new TypeError(`a fault of ours: ${detail}`)) : Promise.resolve()
  }

  archive (): Promise<void> { this.count('', 'archived'); return Promise.resolve() }
  patientInBed (): undefined { return undefined }
  now (): number { return NOW }
  count (_source: string, what: string, n = 1): void { this.counts.set(what, (this.counts.get(what) ?? 0) + n) }
}

/**
 * Frames cut, merged and mutated, over real sockets to a real listener. Each round of a connection is a stream of frames and a good message at its end; what
 * must come back is found by the twin, and compared answer by answer. Throws with the seed and the round of the first difference.
 */
export async function fuzzMllp (options: FuzzOptions): Promise<FuzzResult> {
  const { messages, corpus } = await seedMessages()
  const intake = new CountingIntake()
  await using listener = await startHl7({ host: '127.0.0.1', port: 0, feed: hl7Feed(intake), clock: systemClock, limits: { frameBytesMax: FRAME_BYTES_MAX, connectionsMax: options.connections + 8 } })
  const tally: Tally = { frames: 0, owed: 0, connections: 0, codes: {} }
  await Promise.all(Array.from({ length: options.connections }, async (_, n) => {
    const draw = new Draw(options.seed * 1_000 + n)
    let peer: Peer | undefined
    try {
      for (let round = 0; tally.frames < options.frames; round++) {
        const name = `seed ${options.seed}, connection ${n}, round ${round}`
        if (peer === undefined) { peer = await Peer.open(portOf(listener)); tally.connections++ }
        const keep = await playRound(peer, draw, messages, name, options.deadlineMs, tally)
        options.progress?.(tally.frames)
        if (!keep || draw.chance(0.1)) { peer.close(); peer = undefined }
      }
    } finally {
      peer?.close()
    }
  }))
  return { ...tally, counts: intake.counts, corpus }
}

interface Tally { frames: number, owed: number, connections: number, codes: Record<string, number> }

/** False when the connection is over. */
async function playRound (peer: Peer, draw: Draw, messages: readonly Buffer[], name: string, deadlineMs: number, tally: Tally): Promise<boolean> {
  const last = `END-${name.replace(/\D+/g, '-')}`
  const junk = draw.chance(0.02) ? [Buffer.from(draw.of(['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00', 'hello\r\n']), 'latin1')] : []
  const frames = Array.from({ length: FRAMES_A_ROUND }, () => framed(draw, payload(draw, messages, FRAME_BYTES_MAX)))
  const stream = Buffer.concat([...junk, ...frames, Buffer.of(VT), oru(last), Buffer.of(FS, 0x0d)])
  const stranger = peer.fresh && isStranger(stream)
  const written = peer.write(pieces(draw, stream))
  if (stranger) {
    await peer.until(() => peer.closed, deadlineMs, `${name}: a stranger was not sent away`)
    return false
  }
  await peer.until(() => peer.closed || peer.answers.at(-1)?.controlId === last, deadlineMs, `${name}: no answer in ${deadlineMs} ms`)
  if (peer.closed) throw new Error(`${name}: the connection was closed after ${peer.answers.length} answers`)
  await written
  const expected = framesOf(stream, FRAME_BYTES_MAX)
  compare(peer.takeAnswers(), expected, name, tally)
  tally.frames += FRAMES_A_ROUND
  tally.owed += expected.length
  return true
}

function compare (answers: readonly Answer[], expected: ReturnType<typeof framesOf>, name: string, tally: Tally): void {
  let at = 0
  for (const frame of expected) {
    const owed = owedFor(frame)
    const fail = (what: string): never => { throw new Error(`${name}: ${what}; the frame in base64: ${frame.payload.subarray(0, 6_000).toString('base64')}`) }
    const first = answers[at] ?? fail('an answer is missing')
    if (owed.batch && first.messages !== undefined) {
      if (first.messages !== messagesIn(frame.payload)) fail(`a response batch with ${first.messages} answers`)
      tally.codes['batch'] = (tally.codes['batch'] ?? 0) + 1
      at++
      continue
    }
    const codes = owed.batch ? ['AR'] : owed.codes(first.code)
    for (const code of codes) {
      const answer = answers[at++] ?? fail('an answer is missing')
      if (answer.code !== code || answer.code.endsWith('E') || (owed.mustReject && !answer.code.endsWith('R'))) fail(`answered ${answer.code}, owed ${code}`)
      if (answer.controlId !== owed.controlId) fail('answered with another control id')
      tally.codes[code] = (tally.codes[code] ?? 0) + 1
    }
  }
  if (at !== answers.length) throw new Error(`${name}: ${answers.length - at} answers more than owed`)
}

interface Answer { readonly code: string, readonly controlId: string, /** Of a response batch: how many answers it holds. */ readonly messages: number | undefined }

/** The other end: writes pieces, and reads answers with eyes of its own. */
class Peer {
  readonly #socket: Socket
  #answers: Answer[] = []
  #rest: Buffer = Buffer.alloc(0)
  #wake: () => void = () => {}
  closed = false
  fresh = true

  static async open (port: number): Promise<Peer> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject) })
    return new Peer(socket)
  }

  constructor (socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => { this.#read(chunk) })
    socket.on('error', () => {})
    socket.on('close', () => { this.closed = true; this.#wake() })
  }

  get answers (): readonly Answer[] { return this.#answers }
  takeAnswers (): readonly Answer[] { this.fresh = false; return this.#answers.splice(0) }

  async write (all: readonly Buffer[]): Promise<void> {
    for (const piece of all) {
      if (this.closed) return
      if (!this.#socket.write(piece)) await new Promise<void>(resolve => { this.#socket.once('drain', resolve); this.#socket.once('close', () => { resolve() }) })
    }
  }

  async until (holds: () => boolean, deadlineMs: number, what: string): Promise<void> {
    const timeout = new AbortController()
    let late = false
    void systemClock.sleep(deadlineMs, timeout.signal).then(() => { late = !timeout.signal.aborted; this.#wake() })
    try {
      while (!holds()) {
        if (late) throw new Error(what)
        await new Promise<void>(resolve => { this.#wake = resolve })
      }
    } finally {
      timeout.abort()
    }
  }

  close (): void { this.#socket.destroy() }

  #read (chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (let end = bytes.indexOf(FS); end >= 0; end = bytes.indexOf(FS)) {
      this.#answers.push(answerOf(bytes.toString('latin1', bytes.indexOf(VT) + 1, end)))
      bytes = bytes.subarray(end + 2)
    }
    this.#rest = Buffer.from(bytes)
    this.#wake()
  }
}

function answerOf (text: string): Answer {
  const lines = text.split('\r')
  const msa = lines.filter(line => line.startsWith('MSA'))
  const batch = /^[FB]HS/.test(text)
  const [first = ''] = msa
  const parts = first.split(first.charAt(3))
  return { code: parts[1] ?? '', controlId: parts[2] ?? '', messages: batch ? msa.length : undefined }
}
