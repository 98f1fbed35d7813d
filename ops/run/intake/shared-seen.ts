import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type MessageMark, SEEN_FOR_MS, type SeenMessages, type SeenVerdict } from '../../../connectors/kit/index.ts'
import { RedisConnection, script } from '../../../features/online/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import type { ArrivalTimeMs, Clock, DurationMs } from '../../../streams/time/index.ts'
import type { RedisConfig } from '../../config/index.ts'
import type { Closers } from '../closers.ts'
import type { DataDir } from '../data-dir.ts'
import { redisOptionsOf } from '../online/index.ts'

/** Longer than a log takes to answer, or to say that it does not. */
const CLAIM_MS: DurationMs = 45_000
const HASH_BYTES = 16

/**
 * KEYS: the identity of a message. ARGV: hash of the content, who asks, now, how long a claim of another holds, how long a message is known (ms).
 * A field a content: `d` when the log has it, else `c`, who claimed it, and when.
 */
const CLAIM = script(`
local state = redis.call('HGET', KEYS[1], ARGV[1])
if state == 'd' then return 'duplicate' end
local answer
if state then
  local owner, at = string.match(state, '^c(.-) (%d+)$')
  if owner ~= ARGV[2] and ARGV[3] - at < tonumber(ARGV[4]) then return 'busy' end
  answer = 'unsure ' .. at
elseif redis.call('EXISTS', KEYS[1]) == 1 then answer = 'reused'
else answer = 'new' end
redis.call('HSET', KEYS[1], ARGV[1], 'c' .. ARGV[2] .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return answer`)

export interface SharedSeenOptions {
  readonly redis: Pick<RedisConnection, 'ask' | 'run'>
  readonly prefix: string
  /** This instance; the same after a restart, so that it need not wait for its own claims. */
  readonly instance: string
  readonly keptMs: DurationMs
  /** Another instance's claim without an end holds so long: longer than a log takes to answer. */
  readonly claimMs: DurationMs
  /** Redis did not answer: the instance knows its own messages only. */
  readonly onAway: () => void
}

/** What of the intake's memory of messages is shared through the Redis of the configuration. Throws what connecting to Redis does. */
export async function openSharedSeen (config: RedisConfig, dir: DataDir, clock: Clock, onAway: () => void, closers: Closers): Promise<(own: SeenMessages) => SeenMessages> {
  const options = redisOptionsOf(config, '', clock)
  const redis = closers.use(await RedisConnection.open(options))
  const instance = instanceOf(dir)
  return own => new SharedSeen(own, { redis, prefix: options.prefix, instance, keptMs: SEEN_FOR_MS, claimMs: CLAIM_MS, onAway })
}

/** The same name after each start. */
function instanceOf (dir: DataDir): string {
  const file = dir.path('instance')
  if (!existsSync(file)) writeFileSync(file, `${randomUUID()}\n`, { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

/**
 * Which messages were published, refused or archived, known to several instances through Redis. What this instance knows itself costs no call. A message is claimed before
 * it is published, so a sender that changes over to another instance in that moment is held off; where the claimant died, the log says what became of
 * it. While Redis is away each instance knows its own messages alone, and that is counted.
 */
export class SharedSeen implements SeenMessages {
  readonly #own: SeenMessages
  readonly #options: SharedSeenOptions

  constructor (own: SeenMessages, options: SharedSeenOptions) {
    this.#own = own
    this.#options = options
  }

  async claim (mark: MessageMark, now: ArrivalTimeMs): Promise<SeenVerdict> {
    const own = await this.#own.claim(mark, now)
    if (own === 'duplicate') return own
    const answer = await this.#ask(mark, now)
    if (answer === undefined) return own
    if (answer === 'busy') throw new LatidoError('MESSAGE_CLAIMED', 'another instance is publishing this message', 'nothing: the sender offers it again')
    if (answer.startsWith('unsure ')) return { kind: 'unsure', since: Number(answer.slice('unsure '.length)) }
    if (answer !== 'duplicate') return answer === 'reused' ? answer : own
    this.#own.remember(mark, now)
    return 'duplicate'
  }

  remember (mark: MessageMark, at: ArrivalTimeMs): void {
    this.#own.remember(mark, at)
    const { redis, keptMs } = this.#options
    const key = this.#keyOf(mark)
    // It expires also where Redis could not be asked for a claim.
    this.#tell(Promise.all([redis.ask(key, ['HSET', key, contentOf(mark), 'd']), redis.ask(key, ['PEXPIRE', key, String(keptMs)])]))
  }

  release (mark: MessageMark): void {
    const key = this.#keyOf(mark)
    this.#tell(this.#options.redis.ask(key, ['HDEL', key, contentOf(mark)]))
  }

  purge (now: ArrivalTimeMs, limit: number): Promise<number> { return this.#own.purge(now, limit) } // in Redis they expire

  async #ask (mark: MessageMark, now: ArrivalTimeMs): Promise<string | undefined> {
    const { redis, instance, claimMs, keptMs } = this.#options
    try {
      return await redis.run<string>(CLAIM, [this.#keyOf(mark)], [contentOf(mark), instance, String(Math.floor(now)), String(claimMs), String(keptMs)])
    } catch {
      this.#options.onAway()
      return undefined
    }
  }

  /** A claim that stays is looked up in the log by whoever meets it. */
  #tell (told: Promise<unknown>): void { void told.catch(() => { this.#options.onAway() }) }
  #keyOf (mark: MessageMark): string { return `${this.#options.prefix}seen:${mark.toString('base64url', 0, HASH_BYTES)}` }
}

function contentOf (mark: MessageMark): string { return mark.toString('base64url', HASH_BYTES) }
