import { z } from 'zod'
import { unavailable, type Rest } from './client.ts'
import { ORTHANC_LIMITS } from './options.ts'
import type { StudyTags } from './study.ts'

export interface Change { readonly seq: number, readonly type: string, readonly resource: string, readonly id: string, readonly date: string }
export interface Changes { readonly changes: readonly Change[], readonly last: number, readonly done: boolean }

/** How a study stands in the archive. */
export type StudyState =
  | { readonly kind: 'gone' }
  /** Still coming in. */
  | { readonly kind: 'growing' }
  | { readonly kind: 'anonymised' }
  | { readonly kind: 'here', readonly tags: StudyTags }

const changesAnswer = z.object({
  Changes: z.array(z.object({ Seq: z.number(), ChangeType: z.string(), ResourceType: z.string(), ID: z.string(), Date: z.string() })), Last: z.number(), Done: z.boolean(),
})
const text = z.string().catch('')
const studyAnswer = z.object({
  IsStable: z.boolean(), AnonymizedFrom: z.string().optional(),
  MainDicomTags: z.object({ StudyInstanceUID: text, StudyDate: text, StudyTime: text }), PatientMainDicomTags: z.object({ PatientID: text }),
})
const seriesAnswer = z.array(z.object({ ID: z.string(), Instances: z.array(z.string()), MainDicomTags: z.object({ Modality: text, BodyPartExamined: text }) })).max(ORTHANC_LIMITS.seriesMax)
const seriesOfChange = z.object({ ParentStudy: z.string() })
const ids = z.array(z.string())

/** What we ask an Orthanc (1.10 and later; its REST API is at /explorer): changes, studies, tags. */
export class Archive {
  readonly #client: Rest

  constructor (client: Rest) { this.#client = client }

  async changes (since: number, signal: AbortSignal, limit: number = ORTHANC_LIMITS.changesPerPage): Promise<Changes> {
    const { Changes, Last, Done } = parsed(changesAnswer, await this.#client.get(`/changes?since=${since}&limit=${limit}`, signal))
    return { changes: Changes.map(({ Seq, ChangeType, ResourceType, ID, Date }) => ({ seq: Seq, type: ChangeType, resource: ResourceType, id: ID, date: Date })), last: Last, done: Done }
  }

  /** Number of the newest change ever, also where its row is gone. */
  async newest (signal: AbortSignal): Promise<number> { return parsed(changesAnswer, await this.#client.get('/changes?last', signal)).Last }

  async * studies (signal: AbortSignal): AsyncIterable<readonly string[]> {
    for (let since = 0; ; since += ORTHANC_LIMITS.studiesPerPage) {
      const page = parsed(ids, await this.#client.get(`/studies?since=${since}&limit=${ORTHANC_LIMITS.studiesPerPage}`, signal))
      yield page
      if (page.length < ORTHANC_LIMITS.studiesPerPage) return
    }
  }

  async isHere (study: string, signal: AbortSignal): Promise<boolean> { return await this.#client.get(`/studies/${encodeURIComponent(study)}`, signal) !== undefined }

  /** undefined: the series is gone. */
  async studyOfSeries (series: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#client.get(`/series/${encodeURIComponent(series)}`, signal)
    return answer === undefined ? undefined : parsed(seriesOfChange, answer).ParentStudy
  }

  async study (id: string, signal: AbortSignal): Promise<StudyState> {
    const path = `/studies/${encodeURIComponent(id)}`
    const answer = await this.#client.get(path, signal)
    if (answer === undefined) return { kind: 'gone' }
    const { IsStable, AnonymizedFrom, MainDicomTags: main, PatientMainDicomTags: patient } = parsed(studyAnswer, answer)
    if (AnonymizedFrom !== undefined) return { kind: 'anonymised' }
    if (!IsStable) return { kind: 'growing' }
    const seriesRaw = await this.#client.get(`${path}/series`, signal)
    const series = seriesRaw === undefined ? [] : parsed(seriesAnswer, seriesRaw)
    const [instance] = series.flatMap(one => one.Instances).toSorted()
    // Orthanc reads tags up to the pixels; of an instance's tags a handful are looked at.
    const tagsRaw = instance === undefined ? undefined : await this.#client.get(`/instances/${encodeURIComponent(instance)}/tags`, signal)
    if (tagsRaw === undefined) return { kind: 'growing' } // it is being deleted or replaced: looked at again
    const tags = Tags.of(tagsRaw)
    if (tags.text('0012,0062') === 'YES') return { kind: 'anonymised' } // PatientIdentityRemoved: somebody else did it
    return {
      kind: 'here',
      tags: {
        studyInstanceUid: main.StudyInstanceUID, studyDate: main.StudyDate, studyTime: main.StudyTime, timezoneOffset: tags.text('0008,0201'),
        patientId: patient.PatientID.trim(), issuer: tags.text('0010,0021'), modalities: sorted(series.map(one => one.MainDicomTags.Modality)), bodyParts: sorted(series.map(one => one.MainDicomTags.BodyPartExamined)),
        series: series.length, procedure: tags.procedure(),
      },
    }
  }
}

function sorted (all: readonly string[]): readonly string[] { return all.map(one => one.trim().toUpperCase()).filter(one => one !== '').toSorted() }

/** An answer that is none of Orthanc's: another service listens there. */
function parsed<T> (schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer)
  if (read.success) return read.data
  throw unavailable('what answers is no Orthanc, or one that speaks otherwise', 'check url of the feed')
}

interface Tag { readonly Type?: unknown, readonly Value?: unknown }

/** Tags of an instance by their number, as `/instances/ID/tags` has them: text is UTF-8, whatever the character set of the file. */
class Tags {
  readonly #byNumber: Readonly<Record<string, Tag | undefined>>

  private constructor (byNumber: Readonly<Record<string, Tag | undefined>>) { this.#byNumber = byNumber }

  static of (answer: unknown): Tags { return new Tags(typeof answer === 'object' && answer !== null ? answer as Readonly<Record<string, Tag>> : {}) }

  text (number: string): string {
    const tag = this.#byNumber[number]
    return tag?.Type === 'String' && typeof tag.Value === 'string' ? tag.Value.trim() : ''
  }

  /** The first of ProcedureCodeSequence (0008,1032) that has a code and its scheme. */
  procedure (): StudyTags['procedure'] {
    const items = this.#byNumber['0008,1032']?.Value
    for (const item of Array.isArray(items) ? items as readonly unknown[] : []) {
      const tags = Tags.of(item)
      const [scheme, code] = [tags.text('0008,0102'), tags.text('0008,0100')]
      if (scheme !== '' && code !== '') return { scheme, code }
    }
    return undefined
  }
}
