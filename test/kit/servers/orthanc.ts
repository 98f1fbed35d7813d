import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { startRestartable, type Restartable } from './restartable.ts'

const READY_WITHIN_MS = 30_000

/** An Orthanc of a test's own, with one user, that may be killed, emptied and started again. */
export interface OrthancServer extends Restartable {
  readonly url: string
  readonly username: string
  readonly password: string
  /** Takes its data away; only while it is not running. */
  empty (): void
  /** Puts instances in. Answers Orthanc's identity of the study. */
  upload (...files: readonly Buffer[]): Promise<string>
  /** Calls its REST API; throws unless it answers 200. */
  call (method: string, path: string, body?: unknown): Promise<unknown>
}

/** Debian puts it where only root's path leads. */
const COMMANDS = ['Orthanc', '/usr/sbin/Orthanc'] as const

function orthancCommand (): string | undefined { return COMMANDS.find(command => (command === 'Orthanc' || existsSync(command)) && spawnSync(command, ['--version']).status === 0) }

export function missingOrthanc (): string | undefined { return orthancCommand() === undefined ? 'no Orthanc' : undefined }

/** `stableAfterS`: a study is stable when nothing was added to it for so long. */
export async function startOrthanc ({ stableAfterS = 1 }: { readonly stableAfterS?: number } = {}): Promise<OrthancServer> {
  const [port = 0] = await freePorts(1)
  const [username, password] = ['latido', 'only-for-tests']
  const url = `http://127.0.0.1:${port}`
  const ask = (method: string, path: string, body?: unknown): Promise<Response> => fetch(`${url}${path}`, {
    method, headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    ...body === undefined ? {} : { body: body instanceof Uint8Array ? body as unknown as string : JSON.stringify(body) },
  })
  const dataOf = (directory: string): string => join(directory, 'data')
  const server = await startRestartable({
    name: 'Orthanc', command: orthancCommand() ?? 'Orthanc', readyWithinMs: READY_WITHIN_MS,
    answers: async () => await ask('GET', '/system').then(r => r.ok, () => false),
    args: directory => {
      const [config, data] = [join(directory, 'orthanc.json'), dataOf(directory)]
      // Orthanc 1.10 cannot be told an address: it listens on all, and RemoteAccessAllowed refuses whoever is not this machine. DICOM's own port is off.
      writeFileSync(config, JSON.stringify({ Name: 'test', StorageDirectory: data, IndexDirectory: data, HttpPort: port, RemoteAccessAllowed: false, DicomServerEnabled: false, AuthenticationEnabled: true, RegisteredUsers: { [username]: password }, StableAge: stableAfterS, Plugins: [], SaveJobs: false }))
      return [config]
    },
  })
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await ask(method, path, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`Orthanc answers ${response.status} to ${method} ${path}: ${text}`)
    return text === '' ? undefined : JSON.parse(text) as unknown
  }
  return Object.assign(server, {
    url, username, password, call,
    empty: () => { rmSync(dataOf(server.directory), { recursive: true, force: true }) },
    upload: async (...files: readonly Buffer[]) => {
      let study = ''
      for (const file of files) study = (await call('POST', '/instances', file) as { ParentStudy: string }).ParentStudy
      return study
    },
  })
}
