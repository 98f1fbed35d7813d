import { readdirSync } from 'node:fs'
import { apicurioFiles } from './java.ts'
import { answersHttp, freePorts } from './ports.ts'
import { startRestartable, type Restartable } from './restartable.ts'

export interface ApicurioServer extends Restartable {
  /** Base of the Confluent-compatible API. */
  readonly url: string
}

const READY_WITHIN_MS = 90_000

/** A schema registry in memory, on loopback. */
export async function startApicurio (): Promise<ApicurioServer> {
  const files = await apicurioFiles()
  const jar = readdirSync(files).find(name => name.endsWith('-runner.jar')) ?? ''
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const server = await startRestartable({
    name: 'Apicurio', command: 'java', cwd: files, answers: () => answersHttp(`${url}/subjects`), readyWithinMs: READY_WITHIN_MS,
    args: () => ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dquarkus.http.port=${port}`, '-Dquarkus.http.host=127.0.0.1', '-Dapicurio.storage.kind=sql', '-Dapicurio.storage.sql.kind=h2', '-jar', jar],
  })
  return Object.assign(server, { url })
}
