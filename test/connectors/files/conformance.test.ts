import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { conformanceChecks, type ConformanceHarness, type Counterparty } from '../../../connectors/conformance/index.ts'
import { FILES_OPTIONS, type FilesOptions } from '../../../connectors/files/index.ts'
import { filesConnector } from '../../../ops/run/intake/files-connector.ts'

/** A folder into which each offer is dropped as a file; what is behind the kept place is delivered. */
class DropFolder implements Counterparty<FilesOptions> {
  readonly #path = mkdtempSync(join(tmpdir(), 'latido-drop-'))
  readonly #more: Partial<FilesOptions>
  readonly #write: (messages: readonly Buffer[]) => Buffer
  #files = 0

  constructor (more: Partial<FilesOptions>, write: (messages: readonly Buffer[]) => Buffer) {
    this.#more = more
    this.#write = write
  }

  options (): FilesOptions { return FILES_OPTIONS.parse({ folder: this.#path, settleMs: 0, pollEveryMs: 1_000, ...this.#more }) }
  /** Written aside and renamed, as whoever drops files must: it is looked at meanwhile. */
  offer (messages: readonly Buffer[]): void {
    const file = join(this.#path, `f${String(++this.#files).padStart(4, '0')}.${this.#more.format === 'hl7' ? 'hl7' : 'csv'}`)
    writeFileSync(`${file}.part`, this.#write(messages))
    renameSync(`${file}.part`, file)
  }

  delivered (kept: (table: string) => ReadonlyMap<string, unknown>): number {
    const files = new Map([...kept('files')].map(([file, entry]) => [file, (entry as { records: number }).records]))
    const position = kept('position').get('position')
    if (position !== undefined) {
      const { file, records } = JSON.parse(position as string) as { file: string, records: number }
      files.set(file, Math.max(records, files.get(file) ?? 0))
    }
    return [...files.values()].reduce((sum, n) => sum + n, 0)
  }

  [Symbol.asyncDispose] (): Promise<void> { rmSync(this.#path, { recursive: true, force: true }); return Promise.resolve() }
}

const AT = 1_780_000_000_000
const CSV = { delimiter: ',', decimal: '.', patient: 'mrn', authority: '', time: 'at', timeFormat: 'iso', zone: '', kind: 'charted', code: 'test', system: '', value: 'result', unit: '', result: '', columns: {} } as const

const csv: ConformanceHarness<FilesOptions> = {
  kind: filesConnector,
  open: () => Promise.resolve(new DropFolder({ format: 'csv', csv: CSV }, messages => Buffer.from(`mrn,at,test,result\n${messages.map(message => `${message.toString()}\n`).join('')}`))),
  message: (patient, n) => Buffer.from(`${patient},${new Date(AT + n * 1_000).toISOString()},HR,${60 + n}`),
  poison: Buffer.from('P1,yesterday,HR,60'),
  inFlightMax: 256,
}

const hl7: ConformanceHarness<FilesOptions> = {
  kind: filesConnector,
  open: () => Promise.resolve(new DropFolder({ format: 'hl7' }, messages => Buffer.concat([Buffer.from('BHS|^~\\&|LAB|N\r'), ...messages, Buffer.from(`BTS|${messages.length}\r`)]))),
  message: (patient, n) => Buffer.from(`MSH|^~\\&|LAB|N|LATIDO|N|20260314083000||ORU^R01|${patient}-${n}|P|2.5.1\rPID|1||${patient}\rOBR|1|||VITALS|||${hl7Time(n)}\rOBX|1|NM|8867-4^HR^LN||${60 + n}|/min|||||F|||${hl7Time(n)}\r`),
  poison: Buffer.from('MSH|^~\\&|LAB|N|LATIDO|N|20260314083000||ORU^R01|bad|P|2.5.1\rPID|1||P1\rOBR|1|||VITALS\rOBX|1|NM|8867-4^HR^LN||fast|/min|||||F|||20260314083000+0000\r'),
  inFlightMax: 256,
}

function hl7Time (n: number): string { return `${new Date(AT + n * 1_000).toISOString().replaceAll(/[-:T]|\..*$/g, '')}+0000` }

describe('a drop folder of CSV files', () => {
  for (const { name, run } of conformanceChecks(csv)) it(name, run, 240_000)
})

describe('a drop folder of HL7 batches', () => {
  for (const { name, run } of conformanceChecks(hl7)) it(name, run, 240_000)
})
