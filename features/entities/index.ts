/** Views of other entities than patients: wards and beds aggregate their patients; devices and encounters have readings of their own. */
export { entityFeaturesProcessor, groupsProcessor, membersProcessor, rekeyProcessor } from './processors.ts'
export type { EntitiesParts, EntityVectorsParts, MembersParts } from './processors.ts'
/** The kind and the name of a key on `latido.entities` and `latido.entity-features`. */
export { entityOf } from './vector-rows.ts'
/** What wards and beds are told, on `latido.entities`. */
export { MEMBER_SCHEMA, openMemberCodec } from './codec.ts'
export type { MemberCodec } from './codec.ts'
export type { MemberNews, MemberUpdate } from './members.ts'
export { groupMachine } from './group-machine.ts'
export { membersMachine } from './members.ts'
export { rekeyMachine } from './rekey.ts'
export type { Rekeyed } from './rekey.ts'
export { nameOf, sourceFeatures } from './source-features.ts'
export type { SourceFeature } from './source-features.ts'
