import type { SeededRandom } from './random.ts'

/** The process ended here. */
export class Crash extends Error {}

/** Crashes before or after some effects: a plan drawn from the seed. A rate of 0 leaves everything alone. */
export class Saboteur {
  readonly random: SeededRandom
  rate: number
  crashes = 0

  constructor (random: SeededRandom, rate: number) { this.random = random; this.rate = rate }

  async effect<T> (run: () => Promise<T>): Promise<T> {
    this.maybe()
    const answer = await run()
    this.maybe()
    return answer
  }

  maybe (): void { if (this.random.chance(this.rate)) { this.crashes++; throw new Crash() } }
}
