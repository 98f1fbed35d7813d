import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '../temp-dir.ts'
import { startChild } from './child.ts'
import { apicurioFiles } from './java.ts'
import { answersHttp, freePorts, until } from './ports.ts'

export interface ApicurioServer extends AsyncDisposable {
  /** Base of the Confluent-compatible API. */
  readonly url: string
}

const READY_WITHIN_MS = 90_000

/** A schema registry in memory, on loopback. */
export async function startApicurio (): Promise<ApicurioServer> {
  const files = await apicurioFiles()
  const jar = readdirSync(files).find(name => name.endsWith('-runner.jar')) ?? ''
  const [port = 0] = await freePorts(1)
  const directory = tempDir()
  const output = join(directory.path, 'output')
  const child = startChild('java', ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1', '-Dapicurio.storage.kind=sql', '-Dapicurio.storage.sql.kind=h2', '-jar', jar], { cwd: files, logFile: output, directory: directory.path })
  const server = { url: `http://127.0.0.1:${port}/apis/ccompat/v7`, [Symbol.asyncDispose]: async () => { await child.kill(); directory.remove() } }
  try {
    await until('Apicurio', READY_WITHIN_MS, () => answersHttp(`${server.url}/subjects`), () => child.running ? undefined : `it ended: ${readFileSync(output, 'utf8').slice(-2_000)}`)
    return server
  } catch (e) {
    await server[Symbol.asyncDispose]()
    throw e
  }
}
