const DEPTH_MAX = 32
const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\r\n]|\\.)*"/y
const SCALAR = /true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** JSON that knows the line of each member, so that a fault can be found. */
export type JsonText =
  | { readonly kind: 'ok', readonly value: unknown, lineOf (path: readonly (string | number)[]): number }
  | { readonly kind: 'invalid', readonly line: number, readonly why: string }

/** Strict JSON, and no name twice in an object: the second would win in silence. */
export function readJson (text: string): JsonText {
  const reader = new Reader(text.startsWith('\ufeff') ? text.slice(1) : text)
  try {
    const value = reader.document()
    return { kind: 'ok', value, lineOf: path => reader.lineOf(path) }
  } catch (e) {
    if (e instanceof Unreadable) return { kind: 'invalid', line: reader.line(), why: e.message }
    throw e
  }
}

class Unreadable extends Error {}

function parsed (scalar: string): unknown {
  try {
    return JSON.parse(scalar)
  } catch {
    throw new Unreadable('a text has a bad escape or a control character')
  }
}

class Reader {
  readonly #text: string
  readonly #lines = new Map<string, number>()
  #at = 0

  constructor (text: string) { this.#text = text }

  document (): unknown {
    const value = this.#value([])
    this.#skip()
    if (this.#at < this.#text.length) throw new Unreadable('there is text behind the end')
    return value
  }

  line (): number { return this.#text.slice(0, this.#at).split('\n').length }

  /** The line of the member, else of what it should stand in. */
  lineOf (path: readonly (string | number)[]): number {
    for (let n = path.length; n > 0; n--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, n).map(String)))
      if (line !== undefined) return line
    }
    return 1
  }

  #value (path: readonly string[]): unknown {
    this.#skip()
    if (path.length > DEPTH_MAX) throw new Unreadable('it is nested too deep')
    if (this.#take('{')) return this.#object(path)
    if (this.#take('[')) return this.#array(path)
    const scalar = this.#match(STRING) ?? this.#match(SCALAR)
    if (scalar === undefined) throw new Unreadable(this.#at >= this.#text.length ? 'it ends too early' : 'a value is missing or not JSON')
    return parsed(scalar)
  }

  #object (path: readonly string[]): unknown {
    const members = new Map<string, unknown>()
    for (this.#skip(); !this.#take('}');) {
      if (members.size > 0) this.#expect(',', 'a comma or } is missing')
      this.#skip()
      const name = this.#match(STRING)
      if (name === undefined) throw new Unreadable('a name in quotes is missing')
      const member = String(parsed(name))
      if (members.has(member)) throw new Unreadable(`"${member}" stands twice`)
      this.#lines.set(JSON.stringify([...path, member]), this.line())
      this.#expect(':', 'a colon is missing')
      members.set(member, this.#value([...path, member]))
      this.#skip()
    }
    return Object.fromEntries(members)
  }

  #array (path: readonly string[]): unknown {
    const items: unknown[] = []
    for (this.#skip(); !this.#take(']');) {
      if (items.length > 0) this.#expect(',', 'a comma or ] is missing')
      this.#skip()
      const item = [...path, String(items.length)]
      this.#lines.set(JSON.stringify(item), this.line())
      items.push(this.#value(item))
      this.#skip()
    }
    return items
  }

  #expect (mark: string, why: string): void {
    this.#skip()
    if (!this.#take(mark)) throw new Unreadable(this.#at >= this.#text.length ? 'it ends too early' : why)
  }

  #take (mark: string): boolean {
    const found = this.#text[this.#at] === mark
    if (found) this.#at++
    return found
  }

  #skip (): void { this.#match(SPACE) }

  #match (pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}
