/** The other transactional id of a producer that has two. */
export function secondIdOf (transactionalId: string): string { return transactionalId + SECOND }
const SECOND = '.2'

/** Only ids of our own form are touched: `group.` and the UUID of an instance, with what makes it the second one. */
const INSTANCE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The instance of a group that a transactional id belongs to; undefined for ids that are not of this group. */
export function instanceOf (transactionalId: string, group: string): string | undefined {
  if (!transactionalId.startsWith(`${group}.`)) return undefined
  const rest = transactionalId.slice(group.length + 1)
  const instance = rest.endsWith(SECOND) ? rest.slice(0, -SECOND.length) : rest
  return INSTANCE.test(instance) ? instance : undefined
}
