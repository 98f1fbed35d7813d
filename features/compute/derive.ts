import type { Comparison, Expression } from '../define/index.ts'

/** What an evaluation keeps count of: `time` comes back as the event time of the stalest input; +Infinity if none was read. */
export interface Evaluation { time: number }
/** The value of an expression; NaN is absence. */
export type Evaluate<C extends Evaluation> = (context: C) => number

type Reading = Extract<Expression, { op: 'last' | 'age' | 'window' | 'sampled' | 'missingRate' | 'countSinceAdmission' | 'members' | 'fact' }>
/** An expression that reads nothing itself. */
export type Derived = Exclude<Expression, Reading>

/** Compiles an expression over what `go` makes of those that it is made of. */
export function derive<C extends Evaluation> (e: Derived, go: (part: Expression) => Evaluate<C>): Evaluate<C> {
  switch (e.op) {
    case 'constant': return () => e.value
    case 'plus': return pair(go(e.left), go(e.right), (l, r) => l + r)
    case 'minus': return pair(go(e.left), go(e.right), (l, r) => l - r)
    case 'times': return pair(go(e.left), go(e.right), (l, r) => l * r)
    case 'ratio': return pair(go(e.left), go(e.right), (l, r) => r === 0 ? NaN : l / r)
    case 'least': return pair(go(e.left), go(e.right), Math.min)
    case 'greatest': return pair(go(e.left), go(e.right), Math.max)
    case 'coalesce': return firstOf(e.of.map(go))
    case 'rounded': return roundedOf(go(e.of), e.decimals)
    case 'banded': return bandedOf(go(e.of), e.bands, e.above)
    case 'when': return whenOf(go(e.of), HOLDS[e.is], e.than, go(e.yes), go(e.no))
    case 'sumOfPresent': return ofPresent(e.of.map(go), (a, b) => a + b)
    case 'maxOfPresent': return ofPresent(e.of.map(go), Math.max)
    case 'countMissing': return missingOf(e.of.map(go))
  }
}

const HOLDS: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b, '<=': (a, b) => a <= b, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '=': (a, b) => a === b,
}

function pair<C extends Evaluation> (left: Evaluate<C>, right: Evaluate<C>, join: (l: number, r: number) => number): Evaluate<C> { return c => join(left(c), right(c)) }

function firstOf<C extends Evaluation> (of: readonly Evaluate<C>[]): Evaluate<C> {
  return c => {
    for (const part of of) {
      const before = c.time
      const value = part(c)
      if (!Number.isNaN(value)) return value
      c.time = before
    }
    return NaN
  }
}

function roundedOf<C extends Evaluation> (of: Evaluate<C>, decimals: number): Evaluate<C> {
  const scale = 10 ** decimals
  return c => Math.floor(of(c) * scale + 0.5 + 1e-9) / scale
}

function bandedOf<C extends Evaluation> (of: Evaluate<C>, bands: readonly { readonly upTo: number, readonly points: number }[], above: number): Evaluate<C> {
  return c => {
    const value = of(c)
    if (Number.isNaN(value)) return NaN
    for (const band of bands) if (value <= band.upTo) return band.points
    return above
  }
}

function whenOf<C extends Evaluation> (of: Evaluate<C>, holds: (a: number, b: number) => boolean, than: number, yes: Evaluate<C>, no: Evaluate<C>): Evaluate<C> {
  return c => {
    const value = of(c)
    return Number.isNaN(value) ? NaN : holds(value, than) ? yes(c) : no(c)
  }
}

function ofPresent<C extends Evaluation> (of: readonly Evaluate<C>[], join: (a: number, b: number) => number): Evaluate<C> {
  return c => {
    let all = NaN
    for (const part of of) {
      const before = c.time
      const value = part(c)
      if (Number.isNaN(value)) c.time = before
      else all = Number.isNaN(all) ? value : join(all, value)
    }
    return all
  }
}

function missingOf<C extends Evaluation> (of: readonly Evaluate<C>[]): Evaluate<C> {
  return c => {
    const before = c.time
    let missing = 0
    for (const part of of) if (Number.isNaN(part(c))) missing++
    c.time = before
    return missing
  }
}
