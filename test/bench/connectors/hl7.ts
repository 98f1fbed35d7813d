import { systemClock } from '../../../streams/time/index.ts'
import { codeOf, MllpClient, startCli } from '../../e2e/kit/index.ts'
import { startHapiHl7, startPythonHl7, type Hl7Peer } from '../../kit/servers/hl7-peer.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { quantile, type BenchOptions, type Measure } from '../measure.ts'
import { ReceiverChild } from './receiver-child.ts'
import { panel } from './messages.ts'

const CONNECTIONS = 100
const WARM_UP = 3_000

/** Figures of several runs, by name, in the order in which they were first said. */
class Figures {
  readonly #all = new Map<string, { readonly unit: string, readonly target?: string, readonly values: number[] }>()
  add (name: string, unit: string, value: number, target?: string): void {
    const of = this.#all.get(name) ?? { unit, values: [], ...target === undefined ? {} : { target } }
    of.values.push(value)
    this.#all.set(name, of)
  }

  get measures (): readonly Measure[] { return [...this.#all].map(([name, rest]) => ({ name, ...rest })) }
}

/**
 * HL7 over MLLP, eight OBX a message, the next when the last is answered. Ours is answered when the log has the message on disk; HAPI's and
 * python-hl7's receivers answer and store nothing; what one durable write costs stands beside. All take turns within one run.
 */
export async function hl7 ({ seconds = 3, runs = 3, say }: BenchOptions): Promise<readonly Measure[]> {
  const figures = new Figures()
  await using alone = await ReceiverChild.start('alone-child')
  await using floor = await ReceiverChild.start('floor-child')
  const others = await Others.start(say)
  try {
    await exchange(alone.port, { messages: WARM_UP }) // the compiler warms up, and the journal's files grow
    for (let run = 0; run < runs; run++) {
      const ours = await exchange(alone.port, { seconds })
      figures.add('MLLP alone, last byte to answer, p50', 'ms', quantile(ours.waitsMs, 0.5), '0.4')
      figures.add('MLLP alone, last byte to answer, p99', 'ms', quantile(ours.waitsMs, 0.99))
      figures.add('MLLP alone, our sender', 'messages/s', ours.perSecond)
      const least = await exchange(floor.port, { seconds })
      figures.add('one durable write and an answer, nothing read, p50', 'ms', quantile(least.waitsMs, 0.5))
      figures.add('one durable write and an answer, our sender', 'messages/s', least.perSecond)
      await others.measure([{ name: 'Latido', port: alone.port }, { name: 'one durable write', port: floor.port }], seconds, figures, run)
      figures.add(`MLLP alone, ${CONNECTIONS} connections`, 'messages/s', await many(alone, seconds, run), '5000')
      say(`run ${run + 1} of ${runs}`)
    }
  } finally {
    await others.close()
  }
  await product(seconds, runs, figures)
  return figures.measures
}

interface Exchanged { readonly waitsMs: readonly number[], readonly perSecond: number }
let numbered = 0

/** One connection, for so long or so many. */
async function exchange (port: number, until: { readonly seconds?: number, readonly messages?: number }): Promise<Exchanged> {
  using sender = await MllpClient.open(port)
  const waitsMs: number[] = []
  const startedMs = systemClock.monotonicMs()
  while (until.messages === undefined ? systemClock.monotonicMs() - startedMs < (until.seconds ?? 0) * 1_000 : waitsMs.length < until.messages) {
    const message = Buffer.from(panel(`ours/${numbered++}`, `BENCH-${numbered % 50}`))
    const sentMs = systemClock.monotonicMs()
    if (codeOf(await sender.exchange(message) ?? '') !== 'AA') throw new Error('a message was not accepted')
    waitsMs.push(sender.answeredMs.at(-1)! - sentMs)
  }
  return { waitsMs, perSecond: waitsMs.length / (systemClock.monotonicMs() - startedMs) * 1_000 }
}

/** Many connections at a time, each with a patient of its own; then the log is read: each message once, in the order of its connection. */
async function many (alone: ReceiverChild, seconds: number, run: number): Promise<number> {
  const before = await alone.check()
  const startedMs = systemClock.monotonicMs()
  const sent = await Promise.all(Array.from({ length: CONNECTIONS }, async (_, c) => {
    using sender = await MllpClient.open(alone.port)
    let n = 0
    for (; systemClock.monotonicMs() - startedMs < seconds * 1_000; n++) {
      if (codeOf(await sender.exchange(Buffer.from(panel(`r${run}c${c}/${n}`, `BENCH-${c}`))) ?? '') !== 'AA') throw new Error('a message was not accepted')
    }
    return n
  }))
  const total = sent.reduce((a, b) => a + b, 0)
  const rate = total / (systemClock.monotonicMs() - startedMs) * 1_000
  const after = await alone.check()
  if (after.messages - before.messages !== total || after.twice > 0 || after.reordered > 0) throw new Error(`of ${total} messages ${after.messages - before.messages} are in the log, ${after.twice} twice, ${after.reordered} out of order`)
  return rate
}

interface Sender { readonly name: string, readonly peer: Hl7Peer, readonly how: string, readonly receiverPort: number }

/** Other people's senders, to ours and to their own receivers. */
class Others {
  readonly #senders: readonly Sender[]
  private constructor (senders: readonly Sender[]) { this.#senders = senders }

  static async start (say: (line: string) => void): Promise<Others> {
    const senders: Sender[] = []
    for (const [name, start, how] of [['python-hl7', startPythonHl7, 'hl7'], ['HAPI', startHapiHl7, 'msh18']] as const) {
      try {
        const peer = await start()
        senders.push({ name, peer, how, receiverPort: await peer.listen(how, { keep: false }) })
      } catch (e) {
        say(`without ${name}: ${e instanceof Error ? e.message : String(e)}`)
      }
    }
    return new Others(senders)
  }

  async measure (ours: readonly { readonly name: string, readonly port: number }[], seconds: number, figures: Figures, run: number): Promise<void> {
    for (const { name, peer, how } of this.#senders) {
      for (const to of [...ours, ...this.#senders.map(s => ({ name: s.name, port: s.receiverPort }))]) {
        const connection = await peer.connect(to.port, how)
        const count = Math.max(20, Math.round(seconds * 500))
        await connection.load(panel('@@', 'BENCH-1'), `w${name}${run}${to.name}/`, Math.round(count / 5))
        const load = await connection.load(panel('@@', 'BENCH-1'), `l${name}${run}${to.name}/`, count)
        if (load.accepted !== count) throw new Error(`${to.name} accepted ${load.accepted} of ${count} messages of ${name}`)
        await connection.close()
        figures.add(`${name}'s sender to ${to.name}`, 'messages/s', count / load.seconds, to.name === 'Latido' && name === 'python-hl7' ? '2000' : undefined)
        figures.add(`${name}'s sender to ${to.name}, p50`, 'ms', load.p50Ms)
      }
    }
  }

  async close (): Promise<void> { for (const { peer } of this.#senders) await peer[Symbol.asyncDispose]() }
}

/** The same connection to the whole product, in one process; built, after `npm run build`. */
async function product (seconds: number, runs: number, figures: Figures): Promise<void> {
  const dir = tempDir()
  const cli = await startCli({ dataDir: dir.path, built: true })
  await exchange(cli.mllpPort, { messages: WARM_UP })
  for (let run = 0; run < runs; run++) {
    const { waitsMs, perSecond } = await exchange(cli.mllpPort, { seconds })
    figures.add('MLLP, whole product, p50', 'ms', quantile(waitsMs, 0.5))
    figures.add('MLLP, whole product, p99', 'ms', quantile(waitsMs, 0.99))
    figures.add('MLLP, whole product, our sender', 'messages/s', perSecond)
  }
  await cli.end('SIGINT')
  dir.remove()
}
