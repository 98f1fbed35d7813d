import { LatidoError } from '../errors/index.ts'
import type { Outputs, PartitionProgram, ProcessorDefinition, ProgramBatch, SnapshotRound } from '../engine/index.ts'
import type { RecordCursor, Run } from '../log/index.ts'
import type { ArrivalTimeMs } from '../time/index.ts'
import { OutputBuffer } from './output-buffer.ts'

/**
 * Brings topics with the same number of partitions into one of as many, so that there is one order of what concerns a key: two topics have
 * none, and whatever stepped both would step them differently in a replay. One processor an input, `name-input`; start them all. Records go on
 * as they are. A topic with append timestamps gives them a time of its own; one with create timestamps keeps theirs.
 */
export function mergeTopics ({ name, inputs, output }: { readonly name: string, readonly inputs: readonly string[], readonly output: string }): readonly ProcessorDefinition[] {
  return inputs.map(input => ({
    name: `${name}-${input}`, input, tickTopics: [], tick: Buffer.alloc(0), ownsTicks: false,
    snapshots: { name: `${name}-${input}`, version: 1 },
    program: () => new Forward(output),
    deadLetter: () => { throw new LatidoError('PAYLOAD_INVALID', 'a merged record was refused', 'report it: nothing of it is read here') },
  }))
}

/** Keeps nothing but the clock. */
class Forward implements PartitionProgram {
  readonly keys = 0
  readonly dirtyKeys = 0
  clock: ArrivalTimeMs = 0
  readonly #output: string

  constructor (output: string) { this.#output = output }

  earliestDue (): undefined { return undefined }
  restore (_rows: unknown, marker: SnapshotRound['marker']): void { this.clock = marker.clock }
  snapshot (stamp: number): SnapshotRound { return { rows: [], marker: { offset: stamp, clock: this.clock } } }

  open (run: Run, below: number): ProgramBatch {
    const out = new OutputBuffer([this.#output])
    const batch = {
      count: 0, outputs: 0, refused: [],
      step: () => {
        for (const r = run.records; r.next() && r.offset < below; batch.count++) {
          this.clock = Math.max(this.clock, r.timestamp)
          copy(r, out)
        }
        batch.outputs = out.count
        return undefined
      },
      write: (to: Outputs) => { out.write(to) },
    }
    return batch
  }
}

function copy (r: RecordCursor, out: OutputBuffer): void {
  const keyStart = out.at
  if (r.keyStart >= 0) out.put(r.keyBuffer, r.keyStart, r.keyEnd)
  const valueStart = out.at
  if (r.valueStart >= 0) out.put(r.valueBuffer, r.valueStart, r.valueEnd)
  out.add(0, r.timestamp, r.keyStart < 0 ? -1 : keyStart, r.keyStart < 0 ? -1 : valueStart, r.valueStart < 0 ? -1 : valueStart, r.valueStart < 0 ? -1 : out.at)
}
