import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { orthancConnector, orthancOptions } from '../../../connectors/dicom/index.ts'
import type { KnownStudy } from '../../../connectors/dicom/known-studies.ts'
import type { OrthancOptions } from '../../../connectors/dicom/options.ts'

/** A message of the suite: a study as it becomes stable. */
interface Study { readonly id: string, readonly patient: string, readonly time: string }
interface Change { readonly Seq: number, readonly ChangeType: string, readonly ResourceType: string, readonly ID: string, readonly Date: string }

/** An Orthanc whose studies come in whole: each is told of as stable, and told of again when it is sent again. */
class FakeOrthanc implements Counterparty<OrthancOptions> {
  readonly #server: Server
  readonly #studies = new Map<string, Study>()
  readonly #changes: Change[] = []
  /** The connector has read the changes before this one. */
  #read = 0

  private constructor () { this.#server = createServer((request, response) => {
    const answer = this.#answer(new URL(request.url ?? '', 'http://archive'))
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
  }) }

  static async open (): Promise<FakeOrthanc> {
    const orthanc = new FakeOrthanc()
    orthanc.#server.listen(0, '127.0.0.1')
    await once(orthanc.#server, 'listening')
    return orthanc
  }

  options (): OrthancOptions { return orthancOptions.parse({ url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`, pollEveryMs: 1_000 }) }

  offer (messages: readonly Buffer[]): void {
    for (const message of messages) {
      const study = JSON.parse(message.toString()) as Study
      this.#studies.set(study.id, study)
      this.#changes.push({ Seq: this.#changes.length + 1, ChangeType: 'StableStudy', ResourceType: 'Study', ID: study.id, Date: '20250101T000000' })
    }
  }

  /** What was read, and is kept as said. */
  delivered (kept: (table: string) => ReadonlyMap<string, unknown>): number {
    const known = kept('studies') as ReadonlyMap<string, KnownStudy>
    return this.#changes.filter(({ Seq, ID }) => Seq <= this.#read && known.get(ID)?.state === 'here' && known.get(ID)?.saying === undefined).length
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #answer ({ pathname, search, searchParams }: URL): unknown {
    const [since, limit] = [Number(searchParams.get('since') ?? 0), Number(searchParams.get('limit') ?? 100)]
    const [, kind = '', id = '', part] = pathname.split('/')
    if (kind === 'changes') return search === '?last' ? { Changes: [], Done: true, Last: this.#changes.length } : this.#page(since, limit)
    if (kind === 'studies' && id === '') return [...this.#studies.keys()].slice(since, since + limit)
    if (kind === 'instances') return { '0008,0201': { Type: 'String', Value: '+0000' } }
    const study = this.#studies.get(id)
    if (study === undefined) return undefined
    if (part === 'series') return [{ ID: `${id}.1`, Instances: [`${id}.1.1`], MainDicomTags: { Modality: 'CT' } }]
    return { IsStable: true, MainDicomTags: { StudyInstanceUID: id, StudyDate: '20250101', StudyTime: study.time }, PatientMainDicomTags: { PatientID: study.patient } }
  }

  #page (since: number, limit: number): object {
    if (limit > 1) this.#read = Math.max(this.#read, since) // one at a time it only looks whether it is the same archive
    const page = this.#changes.slice(since, since + limit)
    return { Changes: page, Done: page.length < limit, Last: page.at(-1)?.Seq ?? this.#changes.length }
  }
}

const study = (id: string, patient: string, time: string): Buffer => Buffer.from(JSON.stringify({ id, patient, time } satisfies Study))

const harness: ConformanceHarness<OrthancOptions> = {
  kind: orthancConnector,
  open: () => FakeOrthanc.open(),
  message: (patient, n) => study(`1.2.${patient.slice(1)}.${n}`, patient, `08${String(n).padStart(4, '0')}`),
  poison: study('1.2.9999.1', '', '080000'),
  inFlightMax: 16,
}

describe('an archive of images', () => {
  for (const { name, run } of conformanceChecks(harness)) it(name, run, 240_000)
})
