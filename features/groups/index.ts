/** Views of wards and beds: what their patients bring, aggregated. */
export { entityOf, groupsProcessor, membersProcessor } from './processors.ts'
export type { GroupsParts } from './processors.ts'
/** The records on `latido.entities`. */
export { MEMBER_SCHEMA, openMemberCodec } from './codec.ts'
export type { MemberCodec } from './codec.ts'
export type { MemberUpdate } from './members.ts'
export { groupMachine } from './group-machine.ts'
export { membersMachine } from './members.ts'
export { nameOf, sourceFeatures } from './source-features.ts'
export type { SourceFeature } from './source-features.ts'
