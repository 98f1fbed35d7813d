import { readdirSync, readFileSync } from 'node:fs'

export interface Peak { readonly residentBytes: number, readonly anonymousBytes: number }

const POLL_MS = 20

/**
 * The most memory that a process and all below it had, from /proc. Each process counts with its VmHWM (its own highest resident size, which the
 * kernel keeps exactly, the pages of its programs and libraries among it), even if they were not at their highest at one time: never too little.
 * Anonymous memory is polled: the highest sum seen.
 */
export class PeakOfTree {
  readonly #root: number
  readonly #highest = new Map<number, number>()
  readonly #timer: ReturnType<typeof setInterval>
  #anonymousBytes = 0

  constructor (root: number) {
    this.#root = root
    this.#poll()
    this.#timer = setInterval(() => { this.#poll() }, POLL_MS)
  }

  #poll (): void {
    let anonymous = 0
    for (const pid of membersOf(this.#root)) {
      const status = statusOf(pid)
      if (status === undefined) continue
      this.#highest.set(pid, Math.max(this.#highest.get(pid) ?? 0, kilobytes(status, 'VmHWM')))
      anonymous += kilobytes(status, 'RssAnon')
    }
    this.#anonymousBytes = Math.max(this.#anonymousBytes, anonymous * 1_024)
  }

  /** Stops, with a last look. */
  stop (): Peak {
    this.#poll()
    clearInterval(this.#timer)
    return { residentBytes: [...this.#highest.values()].reduce((a, b) => a + b, 0) * 1_024, anonymousBytes: this.#anonymousBytes }
  }
}

function membersOf (root: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try { parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1])) } catch { /* it has ended */ }
  }
  const members = [root]
  for (const member of members) for (const [pid, parent] of parents) if (parent === member) members.push(pid)
  return members
}

function statusOf (pid: number): string | undefined {
  try { return readFileSync(`/proc/${pid}/status`, 'utf8') } catch { return undefined }
}

function kilobytes (status: string, field: string): number { return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) }
