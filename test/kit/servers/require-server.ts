import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'
import { apicurioFiles, hapiFhirJars, hapiHl7Jars, kafkaJars, missingJava } from './java.ts'
import { missingOrthanc } from './orthanc.ts'
import { pythonHl7 } from './python-hl7.ts'
import { pythonTrain } from './python-train.ts'
import { missingMosquitto } from './mosquitto.ts'
import { missingRedis } from './redis.ts'
import { redisStackFiles } from './redis-stack.ts'
import { sayOnce } from './shared.ts'

const SERVERS = {
  kafka: async (): Promise<string | undefined> => missingJava() ?? await missingFiles(kafkaJars),
  apicurio: async (): Promise<string | undefined> => missingJava() ?? await missingFiles(apicurioFiles),
  hapiHl7: async (): Promise<string | undefined> => missingJava() ?? await missingFiles(hapiHl7Jars),
  pythonHl7: (): Promise<string | undefined> => missingFiles(pythonHl7),
  hapiFhir: async (): Promise<string | undefined> => missingJava() ?? await missingFiles(hapiFhirJars),
  kcat: (): Promise<string | undefined> => Promise.resolve(spawnSync('kcat', ['-V']).status === 0 ? undefined : 'no kcat'),
  redis: (): Promise<string | undefined> => Promise.resolve(missingRedis()),
  redisCluster: (): Promise<string | undefined> => Promise.resolve(missingRedis()),
  redisStack: async (): Promise<string | undefined> => missingRedis() ?? await missingFiles(redisStackFiles),
  orthanc: (): Promise<string | undefined> => Promise.resolve(missingOrthanc()),
  python: (): Promise<string | undefined> => Promise.resolve(spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0 ? undefined : 'no python3 of version 3.9 or later'),
  pythonTrain: (): Promise<string | undefined> => missingFiles(pythonTrain),
  gcc: (): Promise<string | undefined> => Promise.resolve(process.platform !== 'linux' ? 'no Linux' : spawnSync('gcc', ['--version']).status === 0 ? undefined : 'no gcc'),
  mosquittoBroker: (): Promise<string | undefined> => Promise.resolve(missingMosquitto()),
} as const
export type ServerName = keyof typeof SERVERS

/** Names in LATIDO_REQUIRE (separated by commas) must be there; CI sets it. */
const required: ReadonlySet<string> = new Set((process.env['LATIDO_REQUIRE'] ?? '').split(','))

/**
 * Whether these real servers can be started here. If not, one line says what is left out, and the suite is to be skipped;
 * where LATIDO_REQUIRE names one of them, its absence fails.
 */
export async function requireServer (...names: readonly ServerName[]): Promise<boolean> {
  for (const name of names) {
    const missing = await SERVERS[name]()
    if (missing === undefined) continue
    if (required.has(name)) throw new Error(`LATIDO_REQUIRE names ${name}, but there is ${missing}`)
    await sayOnce(`SKIPPED: tests with a real ${name} were not run (${missing})`)
    return false
  }
  return true
}

/** `describe`, or `describe.skip` where a server is missing: `const describeKafka = await describeWith('kafka')`. */
export async function describeWith (...names: readonly ServerName[]): Promise<typeof describe.skip> {
  return await requireServer(...names) ? describe : describe.skip
}

async function missingFiles (fetch: () => Promise<unknown>): Promise<string | undefined> {
  try { await fetch(); return undefined } catch (e) { return e instanceof Error ? e.message : String(e) }
}
