import { openMemberCodec, type MemberCodec } from '../../features/entities/index.ts'
import { openVectorCodec, type VectorCodec } from '../../features/vector-codec.ts'
import { openInferenceCodecs, type InferenceCodecs } from '../../inference/codecs.ts'
import { openEventCodecs, SchemaBook, TOPICS, type EventCodecs, type SchemaRegistry, type SubjectSchema } from '../../streams/events/index.ts'

/** How everything on the topics is written and read. */
export interface Codecs {
  readonly codecs: EventCodecs
  readonly vectors: VectorCodec
  /** Of wards and other entities than patients. */
  readonly entityVectors: VectorCodec
  readonly members: MemberCodec
  readonly inference: InferenceCodecs
}

export async function openCodecs (book: SchemaBook): Promise<Codecs> {
  return {
    codecs: await openEventCodecs(book),
    vectors: await openVectorCodec(book, TOPICS.features),
    entityVectors: await openVectorCodec(book, TOPICS.entityFeatures),
    members: await openMemberCodec(book, TOPICS.entities),
    inference: await openInferenceCodecs(book),
  }
}

/** Topics on which the processors repeat event types, beside their own. */
const FORWARDED: readonly string[] = [TOPICS.features, TOPICS.entities, TOPICS.entityFeatures, TOPICS.driftCounts]

/** Every schema that this version writes, by subject: all codecs are opened over a registry that only takes note. */
export async function declaredSchemas (topicPrefix: string): Promise<readonly SubjectSchema[]> {
  const declared = new Map<string, SubjectSchema>()
  const notebook: SchemaRegistry = {
    known: () => Promise.resolve([]),
    idOf: (subject, schema) => { declared.set(subject, { subject, schema }); return Promise.resolve({ id: declared.size, older: [] }) },
  }
  const { codecs } = await openCodecs(await SchemaBook.over(notebook, { topicPrefix }))
  for (const topic of FORWARDED) await codecs.on(topic)
  return [...declared.values()]
}
