import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Config } from '../config/index.ts'

const ANSWER_MS_MAX = 120_000

/** The API of the running instance, for commands whose work is its own. */
export class InstanceApi {
  readonly #base: string

  /** Throws CONFIG_INVALID. */
  constructor (url: string | undefined, { host, httpPort }: Pick<Config, 'host' | 'httpPort'>) {
    const base = url ?? `http://${host.includes(':') ? `[${host}]` : host}:${httpPort}`
    if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) throw new LatidoError('CONFIG_INVALID', '--url is no address of an instance', 'write http://127.0.0.1:8080')
    this.#base = base.replace(/\/$/, '')
  }

  async get<T> (path: string): Promise<T> { return await (await this.#ask(path, {})).json() as T }
  async bytes (path: string): Promise<Buffer> { return Buffer.from(await (await this.#ask(path, {})).arrayBuffer()) }
  async post<T> (path: string, body: object): Promise<T> { return await (await this.#ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json() as T }

  /** Throws INSTANCE_UNREACHABLE where nothing answers, INSTANCE_REFUSED with what it says. */
  async #ask (path: string, request: RequestInit): Promise<Response> {
    let answer
    try {
      answer = await fetch(this.#base + path, { ...request, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    } catch (cause) {
      throw new LatidoError('INSTANCE_UNREACHABLE', `no running Latido answers at ${this.#base} (${reasonOf(cause)})`, 'start it with "latido start", or name its address with --url', cause)
    }
    if (answer.ok) return answer
    const { error } = await answer.json().catch(() => ({})) as { readonly error?: { readonly code: string, readonly message: string, readonly action: string } }
    throw new LatidoError('INSTANCE_REFUSED', error === undefined ? `the instance at ${this.#base} answered with status ${answer.status}` : `${error.message} [${error.code}]`, error?.action ?? 'check that --url leads to a Latido of this version')
  }
}

function reasonOf (cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined
  return inner instanceof Error && 'code' in inner ? String(inner.code) : messageOf(cause)
}
