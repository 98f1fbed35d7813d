import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { compiledJava, hapiHl7Jars } from './java.ts'
import { freePorts } from './ports.ts'
import { pythonHl7 } from './python-hl7.ts'

/** What the other side's library read of an answer. */
export interface Hl7PeerAnswer { readonly code: string, readonly controlId: string, readonly text: string }

/** A template sent again and again, each when the last was answered; the times are the sender's own. */
export interface Hl7Load { readonly accepted: number, readonly seconds: number, readonly p50Ms: number, readonly p99Ms: number }

export interface Hl7PeerConnection {
  /** Parses the text with the library, sends what the library makes of it, and waits for the answer; rejects where there is none. */
  send (message: string): Promise<Hl7PeerAnswer>
  /** `@@` in the template becomes `prefix` and a number. */
  load (template: string, prefix: string, count: number): Promise<Hl7Load>
  close (): Promise<void>
}

export interface ListenOptions {
  /** Each so-many-th message is answered AE. */
  readonly errorEvery?: number
  /** False: messages are answered and forgotten. */
  readonly keep?: boolean
}

/** A library of others in a process of its own: sends to us, and receives from us. */
export interface Hl7Peer extends AsyncDisposable {
  /** HAPI: a character set, `msh18` to obey the message, or `default`, which is HAPI's: US-ASCII. Python: `hl7`, `aio` or `hl7apy`. */
  connect (port: number, how: string): Promise<Hl7PeerConnection>
  /** Answers the port of a receiver on loopback. `how` as above. */
  listen (how: string, options?: ListenOptions): Promise<number>
  /** What all receivers of this peer got, in order. */
  received (): Promise<readonly string[]>
}

/** HAPI HL7v2 in a JVM (about a second). It ends when its input does, so with its owner. */
export async function startHapiHl7 (): Promise<Hl7Peer> {
  const jars = await hapiHl7Jars()
  const classes = await compiledJava(fileURLToPath(new URL('java/Hl7Shell.java', import.meta.url)), jars)
  return new Shell(spawn('java', ['-Xmx256m', '-XX:+UseSerialGC', '-cp', `${classes}:${jars}/*`, 'Hl7Shell'], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

/** python-hl7 and hl7apy in a Python. It ends when its input does. */
export async function startPythonHl7 (): Promise<Hl7Peer> {
  return new Shell(spawn(await pythonHl7(), ['-W', 'ignore', fileURLToPath(new URL('python/hl7_shell.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'pipe'] }))
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plain = (word: string | undefined): string => Buffer.from(word ?? '', 'base64').toString()

class Shell implements Hl7Peer {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting: { readonly resolve: (words: readonly string[]) => void, readonly reject: (e: Error) => void }[] = []
  #printed = ''
  #ended = false

  constructor (process: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#process = process
    process.stderr.on('data', (bytes: Buffer) => { this.#printed = (this.#printed + bytes.toString()).slice(-4_000) })
    process.stdin.on('error', () => {}) // the end of the process says more
    createInterface({ input: process.stdout }).on('line', line => {
      const [state, ...words] = line.split('\t')
      const waiting = this.#waiting.shift()
      if (state === 'ok') waiting?.resolve(words)
      else waiting?.reject(new Error(plain(words[0])))
    })
    process.on('exit', () => {
      this.#ended = true
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the HL7 peer ended: ${this.#printed}`))
    })
  }

  async connect (port: number, how: string): Promise<Hl7PeerConnection> {
    const [id = ''] = await this.#ask('connect', '127.0.0.1', String(port), how)
    return {
      send: async message => {
        const [code = '', controlId, text] = await this.#ask('send', id, base64(message))
        return { code, controlId: plain(controlId), text: plain(text) }
      },
      load: async (template, prefix, count) => {
        const [accepted = NaN, seconds = NaN, p50Ms = NaN, p99Ms = NaN] = (await this.#ask('load', id, base64(template), prefix, String(count))).map(Number)
        return { accepted, seconds, p50Ms, p99Ms }
      },
      close: async () => { await this.#ask('close', id) },
    }
  }

  async listen (how: string, { errorEvery = 0, keep = true }: ListenOptions = {}): Promise<number> {
    const [port = 0] = await freePorts(1)
    await this.#ask('listen', String(port), how, String(errorEvery), keep ? 'keep' : 'forget')
    return port
  }

  async received (): Promise<readonly string[]> { return (await this.#ask('received')).filter(word => word !== '').map(plain) }

  [Symbol.asyncDispose] (): Promise<void> {
    if (!this.#ended) this.#process.kill('SIGKILL')
    return Promise.resolve()
  }

  #ask (...words: readonly string[]): Promise<readonly string[]> {
    if (this.#ended) return Promise.reject(new Error(`the HL7 peer has ended: ${this.#printed}`))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#process.stdin.write(`${words.join('\t')}\n`)
    })
  }
}
