import type { Expression, Fact } from '../../define/index.ts'
import { countOf, newestOf } from './gather.ts'
import { float } from './text.ts'
import { pointsOf, readingsIn, timeOf, valueOf, type Windowed } from './windows.ts'

const HOUR_MS = 3_600_000

/** A value and the event time of its stalest input (inf: none), as SQL of columns that are there. */
export interface Node { readonly value: string, readonly time: string, readonly level: number }

type Column = readonly [name: string, sql: string]

/**
 * Expressions as columns in levels: each level reads only the ones below, so no text is repeated however deep a definition is. Equal parts
 * are one column.
 */
export class Columns {
  readonly #levels: Column[][] = []
  readonly #nodes = new Map<string, Node>()
  #next = 0

  get levels (): readonly (readonly Column[])[] { return this.#levels }

  of (e: Expression): Node {
    const key = JSON.stringify(e)
    const known = this.#nodes.get(key)
    if (known !== undefined) return known
    const node = this.#make(e)
    this.#nodes.set(key, node)
    return node
  }

  #add (level: number, sql: string): string {
    const column = `c${this.#next++}`
    while (this.#levels.length <= level) this.#levels.push([])
    this.#levels[level]!.push([column, sql])
    return column
  }

  #node (below: readonly Node[], value: string, time: string): Node {
    const level = Math.max(-1, ...below.map(n => n.level)) + 1
    return { value: this.#add(level, value), time: this.#add(level, time), level }
  }

  #make (e: Expression): Node {
    switch (e.op) {
      case 'constant': return { value: float(e.value), time: 'inf', level: -1 }
      case 'fact': return this.#node([], FACTS[e.fact], 'inf')
      case 'last': return this.#last(e)
      case 'age': return this.#age(e)
      case 'countSinceAdmission': return this.#node([], `toFloat64(${countOf(e.concept)})`, 'inf')
      case 'window': case 'sampled': case 'missingRate': return this.#windowed(e)
      case 'members': throw new Error('a feature of a ward is no feature of a patient')
      default: return this.#derived(e)
    }
  }

  #last (e: Extract<Expression, { op: 'last' }>): Node {
    const found = `${newestOf(e.concept)}[${e.back + 1}]`
    const time = `tupleElement(${found}, 1)`
    const there = `length(${newestOf(e.concept)}) > ${e.back}${e.withinMs === undefined ? '' : ` AND ${time} >= as_of - ${e.withinMs}`}`
    return this.#node([], `if(${there}, tupleElement(${found}, 4), nan)`, `if(${there}, toFloat64(${time}), inf)`)
  }

  #age (e: Extract<Expression, { op: 'age' }>): Node {
    const time = `tupleElement(${newestOf(e.concept)}[1], 1)`
    return this.#node([], `if(empty(${newestOf(e.concept)}), nan, (as_of - ${time}) / ${HOUR_MS})`, `if(empty(${newestOf(e.concept)}), inf, toFloat64(${time}))`)
  }

  /** Level 0 has a window's readings, level 1 its points, level 2 its aggregates. */
  #windowed (e: Windowed): Node {
    const of = this.#shared(0, readingsIn(e))
    const { t, v } = pointsOf(e, of)
    const columns = { of, t: this.#shared(1, t), v: this.#shared(1, v) }
    return { value: this.#add(2, valueOf(e, columns)), time: this.#shared(2, timeOf(columns)), level: 2 }
  }

  #shared (level: number, sql: string): string {
    const key = `${level} ${sql}`
    const known = this.#nodes.get(key)
    if (known !== undefined) return known.value
    const column = this.#add(level, sql)
    this.#nodes.set(key, { value: column, time: column, level })
    return column
  }

  #derived (e: Derived): Node {
    switch (e.op) {
      case 'plus': return this.#pair(e.left, e.right, (l, r) => `${l} + ${r}`)
      case 'minus': return this.#pair(e.left, e.right, (l, r) => `${l} - ${r}`)
      case 'times': return this.#pair(e.left, e.right, (l, r) => `${l} * ${r}`)
      case 'ratio': return this.#pair(e.left, e.right, (l, r) => `if(${r} = 0, nan, ${l} / ${r})`)
      case 'least': return this.#pair(e.left, e.right, (l, r) => `if(isNaN(${l}) OR isNaN(${r}), nan, least(${l}, ${r}))`)
      case 'greatest': return this.#pair(e.left, e.right, (l, r) => `if(isNaN(${l}) OR isNaN(${r}), nan, greatest(${l}, ${r}))`)
      case 'coalesce': return this.#coalesce(e.of.map(part => this.of(part)))
      case 'rounded': { const x = this.of(e.of); return this.#node([x], `floor(${x.value} * ${float(10 ** e.decimals)} + 0.5 + 1e-9) / ${float(10 ** e.decimals)}`, x.time) }
      case 'banded': { const x = this.of(e.of); return this.#node([x], `multiIf(isNaN(${x.value}), nan, ${e.bands.map(band => `${x.value} <= ${float(band.upTo)}, ${float(band.points)}, `).join('')}${float(e.above)})`, x.time) }
      case 'when': return this.#when(e)
      case 'sumOfPresent': return this.#present(e.of.map(part => this.of(part)), '0', values => values.join(' + '))
      case 'maxOfPresent': return this.#present(e.of.map(part => this.of(part)), '-inf', values => `greatest(-inf, ${values.join(', ')})`)
      case 'countMissing': { const parts = e.of.map(part => this.of(part)); return this.#node(parts, `toFloat64(${parts.map(p => `isNaN(${p.value})`).join(' + ')})`, 'inf') }
    }
  }

  #pair (left: Expression, right: Expression, join: (l: string, r: string) => string): Node {
    const [l, r] = [this.of(left), this.of(right)]
    return this.#node([l, r], join(l.value, r.value), `least(${l.time}, ${r.time})`)
  }

  #coalesce (parts: readonly Node[]): Node {
    const chosen = (read: (n: Node) => string, none: string): string => `multiIf(${parts.map(p => `NOT isNaN(${p.value}), ${read(p)}, `).join('')}${none})`
    return this.#node(parts, chosen(p => p.value, 'nan'), chosen(p => p.time, 'inf'))
  }

  #when (e: Extract<Expression, { op: 'when' }>): Node {
    const [of, yes, no] = [this.of(e.of), this.of(e.yes), this.of(e.no)]
    const holds = `${of.value} ${e.is} ${float(e.than)}`
    return this.#node([of, yes, no], `if(isNaN(${of.value}), nan, if(${holds}, ${yes.value}, ${no.value}))`, `least(${of.time}, if(${holds}, ${yes.time}, ${no.time}))`)
  }

  #present (parts: readonly Node[], neutral: string, join: (values: readonly string[]) => string): Node {
    const values = parts.map(p => `if(isNaN(${p.value}), ${neutral}, ${p.value})`)
    return this.#node(parts, `if(${parts.map(p => `isNaN(${p.value})`).join(' AND ')}, nan, ${join(values)})`, `least(inf, ${parts.map(p => `if(isNaN(${p.value}), inf, ${p.time})`).join(', ')})`)
  }
}

type Derived = Exclude<Expression, { readonly op: 'constant' | 'fact' | 'last' | 'age' | 'countSinceAdmission' | 'window' | 'sampled' | 'missingRate' | 'members' }>

const SEX = "encounters = 0 OR sex = 'unknown'"

/** Facts as of a row, of the columns of `stay`; a row without a message has no row there. */
const FACTS: Readonly<Record<Fact, string>> = {
  ageYears: 'if(encounters = 0, nan, age_years)',
  male: `if(${SEX}, nan, toFloat64(sex = 'male'))`,
  female: `if(${SEX}, nan, toFloat64(sex = 'female'))`,
  hoursInUnit: `if(encounters = 0, nan, (as_of - admitted_at) / ${HOUR_MS})`,
  hoursFromHospitalToUnit: 'if(encounters = 0, nan, hours_before)',
}
