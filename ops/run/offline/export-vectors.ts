import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import type { HistoricalSource } from '../../../connectors/files/index.ts'
import { featuresMachine } from '../../../features/compute/index.ts'
import type { FeatureView } from '../../../features/define/index.ts'
import type { FeatureVector } from '../../../features/vector.ts'
import { KeyedMachine } from '../../../streams/engine/index.ts'

export interface ExportSummary { readonly messages: number, readonly patients: number, readonly rows: Readonly<Record<string, number>> }

/**
 * Replays a historical source through the engine's keyed machine and writes one view's vectors a folder: `vectors.f32` (rows x features,
 * little-endian float32, NaN absent), `index.csv` (source id, as_of in ms) and `manifest.json`. Vectors that a timer caused are left out, so each
 * charted message is one row.
 */
export async function exportVectors (source: HistoricalSource, views: readonly FeatureView[], directory: string, onProgress: (share: number) => void): Promise<ExportSummary> {
  const writers = new Map(views.map(view => [view.name, new VectorWriter(view, join(directory, view.name))]))
  const machine = new KeyedMachine(featuresMachine(views))
  let messages = 0
  const patients = new Set<string>()
  for await (const { patientId, arrival, event } of source) {
    patients.add(patientId)
    machine.record(messages, arrival, patientId, event, ({ key, out }) => {
      if (out.type === 'vector' && out.trigger !== 'timer') writers.get(out.view)!.add(key, out)
    })
    if (++messages % 5_000 === 0) {
      onProgress(source.progress())
      for (const writer of writers.values()) await writer.drained()
    }
  }
  for (const writer of writers.values()) await writer.close()
  onProgress(1)
  return { messages, patients: patients.size, rows: Object.fromEntries([...writers].map(([name, w]) => [name, w.rows])) }
}

class VectorWriter {
  rows = 0
  readonly #view: FeatureView
  readonly #directory: string
  readonly #vectors: ReturnType<typeof createWriteStream>
  readonly #index: ReturnType<typeof createWriteStream>

  constructor (view: FeatureView, directory: string) {
    mkdirSync(directory, { recursive: true })
    this.#view = view
    this.#directory = directory
    this.#vectors = createWriteStream(join(directory, 'vectors.f32'))
    this.#index = createWriteStream(join(directory, 'index.csv'))
    this.#index.write('patient,as_of\n')
  }

  add (patient: string, vector: FeatureVector): void {
    this.rows++
    const row = Float32Array.from(vector.values)
    this.#vectors.write(Buffer.from(row.buffer))
    this.#index.write(`${patient},${vector.asOf}\n`)
  }

  async drained (): Promise<void> { for (const stream of [this.#vectors, this.#index]) if (stream.writableNeedDrain) await once(stream, 'drain') }

  async close (): Promise<void> {
    for (const stream of [this.#vectors, this.#index]) { stream.end(); await once(stream, 'finish') }
    writeFileSync(join(this.#directory, 'manifest.json'), JSON.stringify({ view: this.#view.name, version: this.#view.version, rows: this.rows, features: this.#view.names }, null, 1))
  }
}
