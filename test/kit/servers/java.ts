import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'

const run = promisify(execFile)
export const KAFKA_VERSION = '4.2.0'
export const APICURIO_VERSION = '3.0.9'
export const HAPI_FHIR_VERSION = '8.8.0'
export const HAPI_HL7_VERSION = '2.6.0'
const JAVA_MIN = 17
const FETCH_MAX_MS = 240_000

/** Where what is fetched once is kept for later runs. */
export function cacheDirectory (): string { return process.env['LATIDO_TEST_CACHE'] ?? join(tmpdir(), 'latido-test-servers') }

/** What is missing for a Java server, in words; undefined if nothing is. */
export function missingJava (): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const major = Number(/version "(?:1\.)?(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0)
  if (major < JAVA_MIN) return major === 0 ? 'no Java' : `Java ${major}, ${JAVA_MIN} is needed`
  return undefined
}

function needMaven (): void {
  if (spawnSync('mvn', ['-v']).status !== 0) throw new Error('no Maven to fetch it with')
}

/** Kafka's jars, from Maven's repository. */
export function kafkaJars (): Promise<string> {
  return fetched(`kafka-${KAFKA_VERSION}`, files => files.some(name => name.startsWith('kafka_2.13-')), async directory => {
    writeFileSync(join(directory, 'pom.xml'), pom([['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION], ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION], ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.24.3']]))
    await maven(['dependency:copy-dependencies', '-DoutputDirectory=.'], directory)
  })
}

/** The Apicurio registry, unpacked. */
export function apicurioFiles (): Promise<string> {
  return fetched(`apicurio-${APICURIO_VERSION}`, files => files.some(name => name.endsWith('-runner.jar')), async directory => {
    await maven(['dependency:copy', `-Dartifact=io.apicurio:apicurio-registry-app:${APICURIO_VERSION}:tar.gz:all`, '-DoutputDirectory=.'], directory)
    const archive = readdirSync(directory).find(name => name.endsWith('.tar.gz'))
    if (archive === undefined) throw new Error('Maven fetched nothing')
    await run('tar', ['xzf', archive], { cwd: directory })
    rmSync(join(directory, archive))
  })
}

const HAPI_FHIR_PARTS = [
  ['ca.uhn.hapi.fhir', 'hapi-fhir-jpaserver-base', HAPI_FHIR_VERSION], ['ca.uhn.hapi.fhir', 'hapi-fhir-jpaserver-subscription', HAPI_FHIR_VERSION],
  ['com.h2database', 'h2', '2.3.232'], ['org.eclipse.jetty.ee10', 'jetty-ee10-servlet', '12.0.16'], ['org.slf4j', 'slf4j-simple', '2.0.16'],
] as const

/** HAPI HL7v2's jars, from Maven's repository. */
export function hapiHl7Jars (): Promise<string> {
  return fetched(`hapi-hl7-${HAPI_HL7_VERSION}`, files => files.some(name => name.startsWith('hapi-structures-v251-')), async directory => {
    writeFileSync(join(directory, 'pom.xml'), pom([['ca.uhn.hapi', 'hapi-base', HAPI_HL7_VERSION], ['ca.uhn.hapi', 'hapi-structures-v251', HAPI_HL7_VERSION], ['org.slf4j', 'slf4j-nop', '1.7.36']]))
    await maven(['dependency:copy-dependencies', '-DoutputDirectory=.', '-DincludeScope=runtime'], directory)
  })
}

/** HAPI FHIR's jars, from Maven's repository (about 250, 285 MB). */
export function hapiFhirJars (): Promise<string> {
  return fetched(`hapi-fhir-${HAPI_FHIR_VERSION}`, files => files.some(name => name.startsWith('hapi-fhir-jpaserver-subscription')), async directory => {
    writeFileSync(join(directory, 'pom.xml'), pom(HAPI_FHIR_PARTS))
    await maven(['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=.'], directory)
  })
}

/** One Java source, compiled against a folder of jars; made again when the source changes. */
export async function compiledJava (source: string, jars: string): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
  return await madeOnce(`${basename(source, '.java')}-${digest}`, async directory => { await run('javac', ['-cp', `${jars}/*`, '-d', directory, source]) })
}

async function fetched (name: string, complete: (files: readonly string[]) => boolean, fetch: (directory: string) => Promise<void>): Promise<string> {
  const wanted = join(cacheDirectory(), name)
  const ready = (): boolean => existsSync(wanted) && complete(readdirSync(wanted))
  if (ready()) return wanted
  needMaven()
  return withLock(`${wanted}.lock`, async () => {
    if (ready()) return wanted
    const fresh = `${wanted}.${process.pid}`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { recursive: true })
    await fetch(fresh)
    rmSync(wanted, { recursive: true, force: true })
    renameSync(fresh, wanted)
    return wanted
  })
}

async function maven (args: readonly string[], cwd: string): Promise<void> {
  try {
    await run('mvn', ['-q', '-B', ...args], { cwd, timeout: FETCH_MAX_MS })
  } catch (e) {
    throw new Error('Maven could not fetch it', { cause: e })
  }
}

function pom (dependencies: readonly (readonly [string, string, string])[]): string {
  const each = dependencies.map(([group, artifact, version]) => `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`)
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>test</groupId><artifactId>servers</artifactId><version>1</version><dependencies>${each.join('')}</dependencies></project>`
}

/** A folder that takes seconds to make and is always the same: made once in the cache, then copied. */
export async function copyOfCached (name: string, to: string, make: (directory: string) => Promise<void>): Promise<void> {
  const directory = await madeOnce(name, make)
  cpSync(directory, to, { recursive: true })
}

/** A folder of the cache, made by `make` where it is not there yet; whole or not at all. */
export function madeOnce (name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const wanted = join(cacheDirectory(), name)
  if (existsSync(wanted)) return Promise.resolve(wanted)
  return withLock(`${wanted}.lock`, async () => {
    if (existsSync(wanted)) return wanted
    const fresh = `${wanted}.${process.pid}`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { recursive: true })
    await make(fresh)
    renameSync(fresh, wanted)
    return wanted
  })
}
