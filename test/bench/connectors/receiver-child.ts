import { build } from 'esbuild'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../../kit/temp-dir.ts'

/** In the tree, so that it finds its packages. */
const BUILT = new URL('../../../dist/bench/', import.meta.url)

export interface LogCheck { readonly messages: number, readonly twice: number, readonly reordered: number }

/** `alone-child`: the connector, the intake and the embedded log. `floor-child`: one durable write and an answer. */
type Program = 'alone-child' | 'floor-child'

/** A receiver in a process of its own. */
export class ReceiverChild implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #directory = tempDir()
  port = 0

  /** `nodeFlags`, for example `--cpu-prof`. */
  private constructor (built: string, nodeFlags: readonly string[]) {
    this.#process = spawn(process.execPath, [...nodeFlags, built, this.#directory.path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#process.stdout })
  }

  /** Compiled, as users run it: a loader of sources names every function anew each time that it is made, which is a tenth of a message. */
  static async start (program: Program, nodeFlags: readonly string[] = []): Promise<ReceiverChild> {
    const built = fileURLToPath(new URL(`${program}.mjs`, BUILT))
    await build({ entryPoints: [fileURLToPath(new URL(`${program}.ts`, import.meta.url))], outfile: built, bundle: true, packages: 'external', format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' })
    const alone = new ReceiverChild(built, nodeFlags)
    alone.port = Number(await alone.#line())
    return alone
  }

  /** What its log has. */
  async check (): Promise<LogCheck> {
    this.#process.stdin.write('check\n')
    return JSON.parse(await this.#line()) as LogCheck
  }

  async #line (): Promise<string> {
    const ended = once(this.#process, 'exit').then(() => { throw new Error('the receiver ended') })
    ended.catch(() => {})
    const [line] = await Promise.race([once(this.#lines, 'line') as Promise<[string]>, ended])
    return line
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin.end()
    await ended
    this.#directory.remove()
  }
}
