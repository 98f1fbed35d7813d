import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../house/source-files.ts'
import { afterAll, beforeAll, it } from 'vitest'
import { freePorts, startChild, until, type Child } from '../kit/servers/index.ts'
import { tempDir } from '../kit/temp-dir.ts'
import { document, snippetsOf, type Snippet } from './documents.ts'

/** A line may wait so long for what the guide says to come. */
const LINE_MS_MAX = 180_000

/** One thing that a reader does: writes a file, or types lines; `says` is what the guide says they print. */
export type GuideStep =
  | { readonly kind: 'file', readonly where: string, readonly file: string, readonly text: string }
  | { readonly kind: 'lines', readonly where: string, readonly latido: 'running' | 'starting' | 'stopped', readonly fails: boolean, readonly lines: readonly string[], readonly says: readonly string[] }

const HOW: Readonly<Record<string, readonly ['running' | 'starting' | 'stopped', boolean]>> = { '': ['running', false], start: ['starting', false], stopped: ['stopped', false], fails: ['stopped', true] }

/** What a guide has its reader do, in order. Throws where a block says something else. */
export function guideSteps (path: string): readonly GuideStep[] {
  const steps: GuideStep[] = []
  for (const snippet of snippetsOf(document(path)).filter(s => s.words[0] === 'guide')) {
    const { where, language, words: [, how = ''], code } = snippet
    const mode = HOW[how]
    if (language === 'text') steps.push({ ...lastLines(steps, snippet), says: code.trim().split('\n') })
    else if (language !== 'sh') steps.push({ kind: 'file', where, file: how, text: code })
    else if (mode === undefined) throw new Error(`${where}: nobody knows "guide ${how}"`)
    else steps.push({ kind: 'lines', where, latido: mode[0], fails: mode[1], lines: code.trim().split('\n'), says: [] })
  }
  return steps
}

function lastLines (steps: GuideStep[], { where }: Snippet): Extract<GuideStep, { kind: 'lines' }> {
  const last = steps.pop()
  if (last?.kind !== 'lines') throw new Error(`${where}: no command stands before it`)
  return last
}

/** True if the lines stand in the text in this order, others between them or not; within a line `...` is anything. */
export function saysSo (text: string, says: readonly string[]): boolean {
  const literal = (part: string): string => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ +/g, ' +')
  const lines = says.filter(line => line !== '...').map(line => line.split('...').map(literal).join('.*'))
  return new RegExp(`^${lines.join('$[^]*?^')}$`, 'm').test(text)
}

/** A reader's folder: the clients and examples lie there as in the product's, `npx` runs the sources, ports and data are its own. */
export class GuideReader implements AsyncDisposable {
  readonly #dir = tempDir()
  readonly #ports: Readonly<Record<string, string>>
  #latido: Child | undefined

  private constructor (ports: Readonly<Record<string, string>>) {
    this.#ports = ports
    for (const name of ['clients', 'docs', 'package.json', 'node_modules']) symlinkSync(join(ROOT, name), join(this.path, name))
    const npx = join(this.path, '.bin', 'npx')
    mkdirSync(dirname(npx))
    const tsx = `exec "${process.execPath}" --import tsx`
    writeFileSync(npx, `#!/bin/sh\ncommand=$1\nshift\ncase $command in\nlatido) ${tsx} "${join(ROOT, 'ops/cli/main.ts')}" "$@";;\ntsx) ${tsx} "$@";;\n*) exit 1;;\nesac\n`)
    chmodSync(npx, 0o755)
  }

  static async open (): Promise<GuideReader> {
    const [http, mllp, mqtt, other] = await freePorts(4) as readonly [number, number, number, number]
    return new GuideReader({ LATIDO_HTTP_PORT: String(http), LATIDO_MLLP_PORT: String(mllp), LATIDO_MQTT_PORT: String(mqtt), LATIDO_GUIDE_PORT: String(other) })
  }

  get path (): string { return this.#dir.path }
  get url (): string { return `http://127.0.0.1:${this.#ports['LATIDO_HTTP_PORT']}` }

  /** Does what a step says, and throws where something else comes out. */
  async follow (step: GuideStep): Promise<void> {
    if (step.kind === 'file') { mkdirSync(dirname(join(this.path, step.file)), { recursive: true }); writeFileSync(join(this.path, step.file), this.#own(step.text)); return }
    const { where, latido, lines, says, fails } = step
    if (latido !== 'running') await this.stop()
    if (latido === 'starting') { await this.#start(where, lines.join('\n'), says); return }
    await this.#type(where, lines, says, fails)
  }

  /** Types the lines one after the other; what is asked of a running Latido is asked again until the answer is the guide's. */
  async #type (where: string, lines: readonly string[], says: readonly string[], fails: boolean): Promise<void> {
    const asks = lines.every(line => line.startsWith('curl') || line.includes('$(curl') || /^npx latido (?:deadletter|feeds) (?:list|show)\b/.test(line))
    let output = ''
    let code: number | null = 0
    const typed = async (): Promise<boolean> => {
      output = ''
      for (const line of lines) {
        const answer = await this.#run(line)
        output += answer.output.endsWith('\n') ? answer.output : `${answer.output}\n`
        code = answer.code
        if (code !== 0) break
      }
      return (code === 0) !== fails && saysSo(output, says)
    }
    const shown = (): string => `exit code ${code}, ${output.slice(-4_000)}`
    if (asks) await until(where, LINE_MS_MAX, typed).catch((e: unknown) => { throw new Error(`${where}: ${shown()}`, { cause: e }) })
    else if (!await typed()) throw new Error(`${where}: ${shown()}`)
  }

  async #start (where: string, line: string, says: readonly string[]): Promise<void> {
    writeFileSync(this.#log, '')
    const variables = Object.entries({ ...this.#ports, PATH: this.#path }).map(([name, value]) => `export ${name}='${value}'\n`).join('')
    const latido = this.#latido = startChild('bash', ['-c', `${variables}exec ${line}`], { cwd: this.path, logFile: this.#log, directory: this.path })
    await until(where, LINE_MS_MAX, () => this.#said.includes('latido: ready in') && saysSo(this.#said, says), () => latido.running ? undefined : this.#said)
  }

  /** Ctrl-C, until it has stopped. */
  async stop (): Promise<void> {
    const latido = this.#latido
    if (latido === undefined) return
    this.#latido = undefined
    latido.signal('SIGINT')
    try {
      await until('latido stops', LINE_MS_MAX, () => !latido.running)
    } finally {
      await latido.kill()
    }
    if (!this.#said.includes('latido: stopped;')) throw new Error(`latido did not stop as it should: ${this.#said}`)
  }

  get #log (): string { return join(this.path, '.latido.log') }
  get #said (): string { return readFileSync(this.#log, 'utf8') }
  get #path (): string { return `${join(this.path, '.bin')}:${process.env['PATH']}` }

  /** A terminal keeps what lines export. */
  async #run (line: string): Promise<{ readonly code: number | null, readonly output: string }> {
    const session = join(this.path, '.session')
    const child = this.#spawn(`${existsSync(session) ? `. ./.session\n` : ''}set -o pipefail\n${line}\ncode=$?\nexport -p | grep -E ' (PATIENT)=' > .session\nexit $code`)
    let output = ''
    let closed = false
    collect(child, text => { output += text })
    child.once('close', () => { closed = true }) // it has ended, and all that it printed has come
    await until(line, LINE_MS_MAX, () => closed).catch((e: unknown) => { child.kill('SIGKILL'); throw e })
    return { code: child.exitCode, output }
  }

  #spawn (script: string): ChildProcess {
    const env = { ...process.env, ...this.#ports, PATH: this.#path, PYTHONDONTWRITEBYTECODE: '1' }
    return spawn('bash', ['-c', this.#own(script)], { cwd: this.path, env, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  #own (text: string): string { return text.replaceAll('http://127.0.0.1:8080', this.url).replaceAll('http://127.0.0.1:9000', `http://127.0.0.1:${this.#ports['LATIDO_GUIDE_PORT']}`).replace(/make_labels\.py /, `make_labels.py --url ${this.url} `) }

  async [Symbol.asyncDispose] (): Promise<void> {
    try { await this.stop() } finally { this.#dir.remove() }
  }
}

function collect (child: ChildProcess, take: (text: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { take(chunk.toString()) })
}

/** The tests of one reader who does all steps of a guide in order; behind a step that goes wrong there is nothing to try. Called within a `describe`. */
export function followGuide (path: string): void {
  let reader: GuideReader
  beforeAll(async () => { reader = await GuideReader.open() })
  afterAll(async () => { await reader[Symbol.asyncDispose]() })
  let broken = false

  it.each(guideSteps(path).map(step => [`${step.where} ${step.kind === 'file' ? `writes ${step.file}` : step.lines[0]!.slice(0, 60)}`, step] as const))('%s', async (_name, step) => {
    if (broken) throw new Error('a step before this one went wrong')
    broken = true
    await reader.follow(step)
    broken = false
  })
}
