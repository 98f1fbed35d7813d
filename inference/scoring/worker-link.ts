import { LatidoError, messageOf } from '../../streams/errors/index.ts'
import type { Reply, Request, WorkerLike } from './protocol.ts'

export interface LinkEvents {
  /** The worker can take a request. */
  ready (): void
  reply (reply: Exclude<Reply, { kind: 'ready' | 'refused' }>): void
  /** The worker is gone, and a new one is on its way: what it held is lost. */
  lost (why: string): void
  /** It was lost too often in succession, or could not load the models: there is none any more. */
  gaveUp (error: LatidoError): void
}

/**
 * Keeps one worker alive: starts it, says when it is ready, starts another when it dies. After `restartsMax` deaths in succession without a reply it
 * gives up, because a model that kills its worker each time would only burn the machine.
 */
export class WorkerLink {
  readonly #spawn: () => WorkerLike
  readonly #restartsMax: number
  readonly #events: LinkEvents
  #worker: WorkerLike | undefined
  #deaths = 0
  #closing: (() => void) | undefined

  constructor (spawn: () => WorkerLike, restartsMax: number, events: LinkEvents) {
    this.#spawn = spawn
    this.#restartsMax = restartsMax
    this.#events = events
    this.#start()
  }

  send (request: Request, transfer: ArrayBuffer[]): void { this.#worker?.postMessage(request, transfer) }

  /** Lets the worker release its sessions; resolves when its thread has ended. The caller has no request under way. */
  close (): Promise<void> {
    return new Promise(resolve => {
      if (this.#worker === undefined) { resolve(); return }
      this.#closing = resolve
      this.#worker.postMessage({ kind: 'close' }, [])
    })
  }

  #start (): void {
    const worker = this.#spawn()
    this.#worker = worker
    let cause = ''
    worker.on('message', reply => { if (this.#worker === worker) this.#took(reply) })
    worker.on('error', error => { cause = messageOf(error) })
    worker.on('exit', code => { if (this.#worker === worker) this.#ended(cause === '' ? `it ended with code ${code}` : cause) })
  }

  #took (reply: Reply): void {
    if (reply.kind === 'ready') this.#events.ready()
    else if (reply.kind === 'refused') this.#giveUp(new LatidoError('MODEL_INVALID', `the scorer cannot load a model: ${reply.why}`, 'train the model again, or restore its folder from the repository'))
    else {
      this.#deaths = 0
      this.#events.reply(reply)
    }
  }

  #ended (why: string): void {
    this.#worker = undefined
    if (this.#closing !== undefined) { this.#closing(); return }
    if (++this.#deaths > this.#restartsMax) {
      this.#giveUp(new LatidoError('SCORER_FAILED', `the scoring worker died ${this.#deaths} times in succession, last: ${why}`, 'look for the cause in the message, and start again; vectors are stored, nothing is lost'))
      return
    }
    this.#events.lost(why)
    this.#start()
  }

  #giveUp (error: LatidoError): void {
    const worker = this.#worker
    this.#worker = undefined
    worker?.postMessage({ kind: 'close' }, [])
    this.#events.gaveUp(error)
  }
}
