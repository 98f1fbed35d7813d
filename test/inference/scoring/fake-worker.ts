import { EventEmitter } from 'node:events'
import type { Reply, Request, WorkerLike } from '../../../inference/scoring/index.ts'

/** A worker moved by hand: it keeps what it is sent, and answers, dies or ends when told. */
export class FakeWorker extends EventEmitter implements WorkerLike {
  readonly sent: Request[] = []
  postMessage (request: Request): void {
    this.sent.push(request)
    if (request.kind === 'close') this.emit('exit', 0)
  }

  say (reply: Reply): void { this.emit('message', reply) }
  die (why: string): void { this.emit('error', new Error(why)); this.emit('exit', 1) }

  /** Answers the newest request: each row's score is its first value. */
  answer (width: number): void {
    const request = this.sent.at(-1)
    if (request?.kind !== 'score') throw new Error('no score was asked for')
    const { rows, id } = request
    this.say({ kind: 'scored', id, scores: Float32Array.from({ length: rows.length / width }, (_, i) => rows[i * width] as number) })
  }
}
