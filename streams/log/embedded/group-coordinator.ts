import { LatidoError } from '../../errors/index.ts'
import type { Clock, DurationMs } from '../../time/index.ts'
import type { GroupMetadata, TopicPartition } from '../port.ts'
import { nameOf } from '../partition-name.ts'

interface Member {
  readonly id: string
  readonly topics: readonly string[]
  readonly owned: Set<string>
  readonly target: Set<string>
  generation: number
  lastPollMs: number
}
interface Group { generation: number, readonly members: Map<string, Member> }

const SETTLED: Rebalance = { revoked: [], assigned: [] }

export interface Rebalance { readonly revoked: readonly TopicPartition[], readonly assigned: readonly TopicPartition[] }

/**
 * Consumer groups within this process, cooperative and sticky: a partition stays with its owner while the load is even, is given up by its
 * owner at the owner's next poll, and only then taken by the next. A member that has not polled for the session timeout is evicted as soon as
 * another one polls; its commits are then refused.
 */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>()
  readonly #clock: Clock
  readonly #sessionTimeoutMs: DurationMs
  readonly #partitionsOf: (topic: string) => number
  readonly #changed: () => void

  constructor (options: { readonly clock: Clock, readonly sessionTimeoutMs: DurationMs, readonly partitionsOf: (topic: string) => number, readonly changed: () => void }) {
    this.#clock = options.clock
    this.#sessionTimeoutMs = options.sessionTimeoutMs
    this.#partitionsOf = options.partitionsOf
    this.#changed = options.changed
  }

  join (group: string, instance: string, topics: readonly string[]): GroupMetadata {
    const entry = this.#groups.get(group) ?? { generation: 0, members: new Map<string, Member>() }
    this.#groups.set(group, entry)
    const id = instance
    entry.members.set(id, { id, topics, owned: new Set(), target: new Set(), generation: 0, lastPollMs: this.#clock.now() })
    this.#plan(entry)
    return { group, memberId: id, generation: entry.generation }
  }

  leave (group: string, memberId: string): void {
    const entry = this.#groups.get(group)
    if (entry?.members.delete(memberId) === true) this.#plan(entry)
  }

  /** What this member gives up now, and may take now. It keeps what it gives up until `released`. */
  sync (metadata: GroupMetadata): Rebalance & { readonly generation: number } {
    const entry = this.#groups.get(metadata.group)
    const member = entry?.members.get(metadata.memberId)
    if (entry === undefined || member === undefined) throw fenced(metadata)
    member.lastPollMs = this.#clock.now()
    this.#evict(entry, member)
    if (member.generation === entry.generation && isSettled(member)) return { generation: entry.generation, ...SETTLED }
    member.generation = entry.generation
    const held = new Set([...entry.members.values()].filter(m => m !== member).flatMap(m => [...m.owned]))
    return {
      generation: entry.generation,
      revoked: [...member.owned].filter(p => !member.target.has(p)).map(parse),
      assigned: [...member.target].filter(p => !member.owned.has(p) && !held.has(p)).map(parse),
    }
  }

  released (metadata: GroupMetadata, partitions: readonly TopicPartition[]): void {
    const member = this.#groups.get(metadata.group)?.members.get(metadata.memberId)
    for (const partition of partitions) member?.owned.delete(nameOf(partition))
    if (partitions.length > 0) this.#changed()
  }

  took (metadata: GroupMetadata, partitions: readonly TopicPartition[]): void {
    const member = this.#groups.get(metadata.group)?.members.get(metadata.memberId)
    for (const partition of partitions) member?.owned.add(nameOf(partition))
  }

  /** Throws MEMBER_FENCED unless the member is alive, at its generation, and owns every partition. */
  checkCommit (metadata: GroupMetadata, partitions: readonly TopicPartition[]): void {
    const member = this.#groups.get(metadata.group)?.members.get(metadata.memberId)
    const current = member !== undefined && member.generation === metadata.generation && partitions.every(p => member.owned.has(nameOf(p)))
    if (!current) throw fenced(metadata)
  }

  #evict (entry: Group, polling: Member): void {
    if (entry.members.size === 1) return
    const limit = this.#clock.now() - this.#sessionTimeoutMs
    const dead = [...entry.members.values()].filter(m => m !== polling && m.lastPollMs < limit)
    for (const member of dead) entry.members.delete(member.id)
    if (dead.length > 0) this.#plan(entry)
  }

  /** Even shares of each topic, keeping what members own as far as the shares allow. */
  #plan (entry: Group): void {
    entry.generation++
    const members = [...entry.members.values()]
    const before = new Map(members.map(m => [m, new Set([...m.owned, ...m.target])]))
    for (const member of members) member.target.clear()
    for (const topic of new Set(members.flatMap(m => m.topics))) {
      const takers = members.filter(m => m.topics.includes(topic))
      const names = Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => nameOf({ topic, partition }))
      const share = Math.ceil(names.length / takers.length)
      const count = new Map(takers.map(m => [m, 0]))
      const give = (member: Member, name: string): void => { member.target.add(name); count.set(member, count.get(member)! + 1) }
      const free = names.filter(name => {
        const keeper = takers.find(m => before.get(m)!.has(name) && count.get(m)! < share)
        if (keeper !== undefined) give(keeper, name)
        return keeper === undefined
      })
      for (const name of free) give(takers.reduce((least, m) => count.get(m)! < count.get(least)! ? m : least), name)
    }
    this.#changed()
  }
}

/** Has what it shall have, and nothing else. */
function isSettled ({ owned, target }: Member): boolean {
  if (owned.size !== target.size) return false
  for (const name of owned) if (!target.has(name)) return false
  return true
}

function parse (name: string): TopicPartition {
  const cut = name.lastIndexOf('/')
  return { topic: name.slice(0, cut), partition: Number(name.slice(cut + 1)) }
}
function fenced ({ group, memberId }: GroupMetadata): LatidoError {
  return new LatidoError('MEMBER_FENCED', `${memberId} is no longer the owner in group ${group}`, 'nothing: the partition has a new owner, and this instance joins again')
}
