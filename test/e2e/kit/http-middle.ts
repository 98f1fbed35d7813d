import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy before a server of others, which sees each request. */
export class HttpMiddle implements AsyncDisposable {
  readonly #server
  readonly #target: string
  /** `METHOD path` of all that was passed on, and the status. */
  readonly passed: string[] = []
  /** Connections are refused with a reset. */
  away = false
  /** Called before a request is passed on. */
  before: (method: string, path: string) => Promise<void> | void = () => {}
  /** Called when the server has answered; the answer goes on when it resolves. */
  after: (method: string, path: string, status: number) => Promise<void> | void = () => {}

  private constructor (target: string) {
    this.#target = target
    this.#server = createServer((request, response) => { void this.#pass(request, response).catch(() => { response.destroy() }) })
  }

  /** `target`: base of the server's API, to which a path is added. */
  static async open (target: string): Promise<HttpMiddle> {
    const middle = new HttpMiddle(target)
    await new Promise<void>(resolve => { middle.#server.listen(0, '127.0.0.1', resolve) })
    return middle
  }

  get url (): string { return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }

  async #pass (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    if (this.away) { request.socket.resetAndDestroy(); return }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await this.before(method, url)
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name))) as Record<string, string>
    const answer = await fetch(`${this.#target}${url}`, { method, headers, ...chunks.length === 0 ? {} : { body: Buffer.concat(chunks) } })
    const body = Buffer.from(await answer.arrayBuffer())
    this.passed.push(`${method} ${url.replace(/\?.*/, '?')} ${answer.status}`)
    await this.after(method, url, answer.status)
    response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding', 'connection'].includes(name))))
    response.end(body)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => { this.#server.close(() => { resolve() }) })
  }
}
