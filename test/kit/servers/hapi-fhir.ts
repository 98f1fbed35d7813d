import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempDir } from '../temp-dir.ts'
import { startChild } from './child.ts'
import { compiledJava, hapiFhirJars } from './java.ts'
import { answersHttp, freePorts, until } from './ports.ts'

export interface HapiFhirServer extends AsyncDisposable {
  /** Base of the FHIR API, without a slash at its end. */
  readonly url: string
}

/** Two minutes of two busy cores; alone it takes about half a minute. */
const READY_WITHIN_MS = 240_000

/** A HAPI FHIR JPA server (R4) with its data in memory, on loopback: rest-hook subscriptions, `$export`, versions, conditional writes. */
export async function startHapiFhir (): Promise<HapiFhirServer> {
  const jars = await hapiFhirJars()
  const classes = await compiledJava(fileURLToPath(new URL('java/HapiFhir.java', import.meta.url)), jars)
  const [port = 0] = await freePorts(1)
  const directory = tempDir()
  const output = join(directory.path, 'output')
  const child = startChild('java', ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${classes}:${jars}/*`, 'HapiFhir', String(port)], { logFile: output, directory: directory.path })
  const server = { url: `http://127.0.0.1:${port}/fhir`, [Symbol.asyncDispose]: async () => { await child.kill(); directory.remove() } }
  try {
    await until('HAPI FHIR', READY_WITHIN_MS, () => answersHttp(`${server.url}/metadata`), () => child.running ? undefined : `it ended: ${readFileSync(output, 'utf8').slice(-2_000)}`)
    return server
  } catch (e) {
    await server[Symbol.asyncDispose]()
    throw e
  }
}
