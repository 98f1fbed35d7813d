import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededRandom } from '../kit/random.ts'
import type { JavaClient, KafkaServer, Link } from '../kit/servers/index.ts'
import type { Instances } from './instances.ts'

/** What a fault may touch. */
export interface World { readonly kafka: KafkaServer, readonly java: JavaClient, readonly instances: Instances, readonly random: SeededRandom, readonly input: string, readonly output: string }

/** Something goes wrong, and is over when it resolves. Answers what was done, in words. */
type Fault = (world: World) => Promise<string>

/** The brokers' session timeout is 3 s. */
const PAST_SESSION_MS = 4_500
const LEAVE_WITHIN_MS = 15_000
const between = (random: SeededRandom, from: number, to: number): number => from + random.below(to - from)

function someone ({ instances, random }: World): number {
  const { running } = instances
  return running[random.below(running.length)] ?? 0
}

/** Without an instance at work nothing can go wrong: at least one stays or comes. */
function fill ({ instances, random }: World): void {
  const wanted = 1 + random.below(4)
  for (const place of instances.idle) if (instances.running.length < wanted) instances.start(place)
}

async function someLeader ({ java, input, output, random, kafka }: World): Promise<number> {
  const leaders = await java.leaders(random.chance(0.5) ? input : output)
  const leader = leaders[random.below(leaders.length)] ?? 1
  return leader > 0 ? leader : kafka.nodes[0] ?? 1
}

const link = (kind: (world: World) => { readonly link: Link, readonly ms: number, readonly what: string }): Fault => async world => {
  const place = someone(world)
  const { link, ms, what } = kind(world)
  for (const proxy of world.kafka.lane(place)) await proxy.set(link)
  await sleep(ms)
  for (const proxy of world.kafka.lane(place)) await proxy.set({ kind: 'open' })
  return `instance ${place}: ${what} for ${ms} ms`
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  killInstance: async world => {
    const place = someone(world)
    const pause = world.random.chance(0.4) ? 0 : world.random.below(4_000)
    await world.instances.kill(place)
    await sleep(pause)
    world.instances.start(place)
    return `instance ${place} killed, back after ${pause} ms`
  },
  killBroker: async world => {
    const node = await someLeader(world)
    const pause = world.random.below(3_000)
    await world.kafka.kill(node)
    await sleep(pause)
    await world.kafka.start(node)
    return `broker ${node} killed, back after ${pause} ms`
  },
  shutDownBroker: async world => {
    const node = await someLeader(world)
    await world.kafka.shutDown(node)
    await world.kafka.start(node)
    return `broker ${node} shut down and started`
  },
  pauseBroker: async world => {
    const node = await someLeader(world)
    const ms = between(world.random, 500, 5_000)
    world.kafka.pause(node)
    await sleep(ms)
    world.kafka.resume(node)
    return `broker ${node} stood still for ${ms} ms`
  },
  partition: link(({ random }) => ({ link: { kind: 'hold', direction: 'both' }, ms: between(random, 500, 7_000), what: 'partitioned' })),
  halfOpen: link(({ random }) => ({ link: { kind: 'hold', direction: random.chance(0.7) ? 'down' : 'up' }, ms: between(random, 500, 7_000), what: 'one direction held' })),
  refused: link(({ random }) => ({ link: { kind: 'closed' }, ms: between(random, 300, 6_000), what: 'connections refused' })),
  slow: link(({ random }) => ({ link: { kind: 'slow', delayMs: between(random, 20, 400), bytesPerSecond: 300_000 }, ms: between(random, 1_000, 4_000), what: 'slow' })),
  cuts: async world => {
    const place = someone(world)
    const cuts = 3 + world.random.below(12)
    for (let i = 0; i < cuts; i++) {
      const lane = world.kafka.lane(place)
      lane[world.random.below(lane.length)]?.cutAfter(world.random.chance(0.6) ? 'down' : 'up', world.random.below(3_000))
      await sleep(between(world.random, 50, 400))
    }
    return `instance ${place}: connections cut ${cuts} times in the middle of an answer or a request`
  },
  zombie: async world => {
    const place = someone(world)
    const ms = PAST_SESSION_MS + world.random.below(1_500)
    if (world.instances.running.length === 1) for (const idle of world.instances.idle.slice(0, 1)) world.instances.start(idle)
    world.instances.signal(place, 'SIGSTOP')
    await sleep(ms)
    world.instances.signal(place, 'SIGCONT')
    return `instance ${place} stood still for ${ms} ms and went on`
  },
  storm: async world => {
    const said: string[] = []
    for (let i = 0; i < 6; i++) {
      const { running, idle } = world.instances
      const joins = idle.length > 0 && (running.length <= 1 || world.random.chance(0.5))
      const place = joins ? idle[world.random.below(idle.length)] ?? 0 : someone(world)
      said.push(`${joins ? '+' : '-'}${place}`)
      if (joins) world.instances.start(place)
      else if (world.random.chance(0.5)) await world.instances.kill(place)
      else void world.instances.leave(place, LEAVE_WITHIN_MS)
      await sleep(between(world.random, 100, 1_200))
    }
    return `joined and left: ${said.join(' ')}`
  },
  leave: async world => {
    const place = someone(world)
    const inTime = await world.instances.leave(place, LEAVE_WITHIN_MS)
    return `instance ${place} left in good order${inTime ? '' : `, but not within ${LEAVE_WITHIN_MS} ms: killed`}`
  },
}

/** Draws a fault, or now and then two at once, and puts right what must be right for the round to end. */
export async function strike (world: World, only: string | undefined): Promise<string> {
  fill(world)
  const names = Object.keys(FAULTS)
  const draw = (): string => only ?? names[world.random.below(names.length)] ?? 'killInstance'
  await sleep(between(world.random, 200, 1_500))
  const first = draw()
  const second = world.random.chance(0.15) ? draw() : undefined
  const said = [await run(first, world)]
  if (second !== undefined) said.push(await run(second, world))
  for (const node of world.kafka.nodes) await world.kafka.start(node)
  fill(world)
  return said.join('; ')
}

async function run (name: string, world: World): Promise<string> {
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`no fault ${name}: ${Object.keys(FAULTS).join(', ')}`)
  return `${name}: ${await fault(world)}`
}
