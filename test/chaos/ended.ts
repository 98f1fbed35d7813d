import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Child } from '../kit/servers/index.ts'

/** Arguments of Node that make it leave a report in `directory` where it ends by a fault that it notices. */
export function reportsIn (directory: string): readonly string[] {
  return ['--report-on-fatalerror', '--report-uncaught-exception', `--report-directory=${directory}`]
}

const MEANINGS: Readonly<Record<string, string>> = {
  'code 0': 'it ended by itself, or was told to',
  'code 13': 'an await at the top of a module that nothing was left to settle; Node says nothing of it',
  'signal SIGBUS': 'a page behind the end of a mapped file (LMDB maps its own), or no room for one that had none yet',
  'signal SIGKILL': 'somebody else killed it: the kernel for memory (see oom_kill), or another process',
  'signal SIGTERM': 'told to end before it could listen to that',
  'signal SIGSEGV': 'a fault of native code',
  'signal SIGABRT': 'Node or native code gave up; V8 does where its heap is full',
}
/** How Latido ends itself at a fault that nobody caught (`ops/cli/end-at-once.ts`): as the first process of a container by SIGABRT. */
const BY_ITSELF: readonly string[] = ['signal SIGKILL', 'signal SIGABRT']
/** What Node prints below a fault that was told: stacks, of JavaScript and, at an abort, its own. */
const OF_STACKS = /^\s|^$|^\}|^----- |^\d+: /
const OUTPUT_BYTES = 10_000
const KERNEL_LINES = 8

/** What an end means; where the process told its own fault last (`ops/cli/failure.ts`), that it ended itself over it. */
function meaningOf (outcome: string, printed: string): string {
  const last = printed.split('\n').findLast(line => !OF_STACKS.test(line)) ?? ''
  if (BY_ITSELF.includes(outcome) && /^latido: (.+ \[[A-Z_]+\]$|\w*Error\b)/.test(last)) return ` (it ended itself, as it said: ${last})`
  return MEANINGS[outcome] === undefined ? '' : ` (${MEANINGS[outcome]})`
}

/** Looks at a child while it runs, so that its end can be explained whatever it was: a killed process says nothing itself. */
export class Watched {
  readonly #child: Child
  readonly #directory: string
  readonly #logFile: string
  readonly #killsBefore: string
  readonly #limits: string
  #seen = 'never looked at'

  /** `directory`: where it keeps its files, and reports; `logFile`: what it printed. */
  constructor (child: Child, directory: string, logFile: string) {
    this.#child = child
    this.#directory = directory
    this.#logFile = logFile
    this.#killsBefore = memoryKills()
    this.#limits = textOf(`/proc/${child.pid}/limits`).split('\n').filter(line => /open files|address space|file size|cpu time|data size/i.test(line)).map(line => line.replace(/ {2,}/g, ' ').trim()).join('; ')
  }

  /** Whether it still runs; notes how it stands. */
  look (): boolean {
    if (!this.#child.running) return false
    const status = textOf(`/proc/${this.#child.pid}/status`)
    const value = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '?'
    if (status !== '') this.#seen = `resident ${value('VmRSS')} (most ${value('VmHWM')}), threads ${value('Threads')}, open files ${entriesOf(`/proc/${this.#child.pid}/fd`).length}`
    return true
  }

  /** All that can be known of its end. */
  explain (): string {
    const outcome = this.#child.outcome ?? 'runs'
    return [
      `process ${this.#child.pid} ended: ${outcome}${meaningOf(outcome, textOf(this.#logFile))}`,
      `when last looked at: ${this.#seen}`,
      `limits: ${this.#limits}`,
      `kills for memory, before and after: ${this.#killsBefore} / ${memoryKills()}`,
      `room on its disk: ${roomIn(this.#directory)}`,
      `its files: ${entriesOf(this.#directory, true).filter(name => /\.mdb$|journal/.test(name)).map(name => `${name} ${sizeOf(join(this.#directory, name))}`).join(', ')}`,
      `reports of Node: ${this.#reports().join('; ') || 'none'}`,
      `the kernel on it: ${kernelOn(this.#child.pid) || 'nothing'}`,
      `what it printed last: ${textOf(this.#logFile).slice(-OUTPUT_BYTES)}`,
    ].join('\n')
  }

  #reports (): readonly string[] {
    return entriesOf(this.#directory).filter(name => /^report\..*\.json$/.test(name) && name.includes(`.${this.#child.pid}.`)).map(name => {
      const report = JSON.parse(textOf(join(this.#directory, name)) || '{}') as { readonly header?: { readonly event?: string, readonly trigger?: string }, readonly javascriptStack?: { readonly message?: string } }
      return `${report.header?.trigger}: ${report.header?.event}: ${report.javascriptStack?.message}`
    })
  }
}

/** The machine's count, and that of the control group where there is one. */
function memoryKills (): string {
  const ofMachine = /^oom_kill (\d+)$/m.exec(textOf('/proc/vmstat'))?.[1] ?? '?'
  const group = /^0::(.*)$/m.exec(textOf('/proc/self/cgroup'))?.[1] ?? '/'
  const ofGroup = /^oom_kill (\d+)$/m.exec(textOf(join('/sys/fs/cgroup', group, 'memory.events')))?.[1] ?? '?'
  return `machine ${ofMachine}, group ${ofGroup}`
}

function kernelOn (pid: number): string {
  const { status, stdout } = spawnSync('dmesg', [], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n').filter(line => line.includes(String(pid))).slice(-KERNEL_LINES).join('\n') : 'not readable'
}

function roomIn (directory: string): string {
  try {
    const { bavail, bsize, ffree } = statfsSync(directory)
    return `${Math.round(bavail * bsize / 2 ** 20)} MB, ${ffree} files`
  } catch (e) { return String(e) }
}

function sizeOf (file: string): number { try { return statSync(file).size } catch { return -1 } }
function textOf (file: string): string { try { return readFileSync(file, 'utf8') } catch { return '' } }
function entriesOf (directory: string, recursive: boolean = false): readonly string[] { try { return readdirSync(directory, { recursive, encoding: 'utf8' }) } catch { return [] } }
