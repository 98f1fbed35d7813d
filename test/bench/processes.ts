import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  readonly processes: number
  readonly residentBytes: number
  /** Pages that processes share count once. */
  readonly proportionalBytes: number
  readonly cpuSeconds: number
}

const TICKS_A_SECOND = 100

/** Memory and processor time of a process and all below it, from /proc; undefined on systems without it. */
export function treeOf (pid: number): Usage | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  const parents = new Map(readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => { const stat = statOf(Number(name)); return stat === undefined ? [] : [[Number(name), stat.parent] as const] }))
  const members = [pid]
  for (const member of members) for (const [child, parent] of parents) if (parent === member) members.push(child)
  let usage: Usage = { processes: 0, residentBytes: 0, proportionalBytes: 0, cpuSeconds: 0 }
  for (const member of members) {
    const stat = statOf(member)
    if (stat === undefined) continue
    usage = { processes: usage.processes + 1, residentBytes: usage.residentBytes + kilobytes(member, 'Rss'), proportionalBytes: usage.proportionalBytes + kilobytes(member, 'Pss'), cpuSeconds: usage.cpuSeconds + stat.cpuSeconds }
  }
  return usage
}

function statOf (pid: number): { readonly parent: number, readonly cpuSeconds: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ') // the name may hold spaces
    return { parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND }
  } catch {
    return undefined
  }
}

function kilobytes (pid: number, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1_024
  } catch {
    return 0
  }
}
