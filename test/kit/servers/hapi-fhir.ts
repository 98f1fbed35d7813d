import { fileURLToPath } from 'node:url'
import { compiledJava, hapiFhirJars } from './java.ts'
import { answersHttp, freePorts } from './ports.ts'
import { startRestartable, type Restartable } from './restartable.ts'

export interface HapiFhirServer extends Restartable {
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
  const url = `http://127.0.0.1:${port}/fhir`
  const server = await startRestartable({
    name: 'HAPI FHIR', command: 'java', answers: () => answersHttp(`${url}/metadata`), readyWithinMs: READY_WITHIN_MS,
    args: () => ['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${classes}:${jars}/*`, 'HapiFhir', String(port)],
  })
  return Object.assign(server, { url })
}
