/**
 * The engine's process: opens the directory, serves HTTP, and ends with its parent. Started by start-engine.ts only.
 * A process of its own because inside the main one settings leak from query to query, and in worker threads the engine hangs or crashes.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serverConfigXml } from './engine-config.ts'
import { EngineServer } from './http-server.ts'
import type { EngineFailure, FromEngine, OpenMessage, ToEngine } from './messages.ts'
import type { EngineConnection } from './run-statement.ts'

type Session = EngineConnection & { query (sql: string): string }
type SessionConstructor = new (path: string, options?: { readonly connectionArgs?: readonly string[] }) => Session

function tell (message: FromEngine): Promise<void> {
  return new Promise(resolve => { if (process.send === undefined) resolve(); else process.send(message, () => { resolve() }) })
}

async function giveUp (failure: EngineFailure, e: unknown): Promise<never> {
  const detail = (e instanceof Error ? e.message : String(e)).split('\n')[0]?.slice(0, 300) ?? ''
  await tell({ type: 'failed', failure, detail })
  process.exit(1)
}

async function loadEngine (): Promise<SessionConstructor> {
  try {
    return (await import('chdb')).Session as unknown as SessionConstructor
  } catch (e) {
    return await giveUp('missing', e)
  }
}

/** The first connection holds the directory's lock, and with it the engine, until the process ends. */
async function openDirectory (Session: SessionConstructor, directory: string): Promise<Session> {
  try {
    const config = join(directory, 'engine.xml')
    mkdirSync(join(directory, 'data'), { recursive: true, mode: 0o700 })
    writeFileSync(config, serverConfigXml(), { mode: 0o600 })
    const keeper = new Session(join(directory, 'data'), { connectionArgs: [`--config-file=${config}`] })
    keeper.query('SELECT 1')
    return keeper
  } catch (e) {
    return await giveUp('other', e)
  }
}

/** The working directory is the spool: its files have plain names, and what a killed process left there goes. Only after the lock is held. */
function enterSpool (directory: string): void {
  const spool = join(directory, 'spool')
  rmSync(spool, { recursive: true, force: true })
  mkdirSync(spool, { recursive: true, mode: 0o700 })
  process.chdir(spool)
}

/** Opens and serves; answers what closes it again. */
async function serve (message: OpenMessage): Promise<() => Promise<void>> {
  const Session = await loadEngine()
  const keeper = await openDirectory(Session, message.directory)
  enterSpool(message.directory)
  const data = join(message.directory, 'data')
  const server = new EngineServer(() => new Session(data), message.token)
  const port = await server.listen(message.port).catch((e: unknown) => giveUp('port', e))
  await tell({ type: 'ready', port })
  return async () => { await server.close(); keeper.close() }
}

let serving: Promise<() => Promise<void>> | undefined
process.on('message', (message: ToEngine) => {
  if (message.type === 'open') serving = serve(message)
  else void serving?.then(close => close()).finally(() => { process.exit(0) })
})
/** The parent has gone: nobody will ask again, and the next start wants the directory. What was acknowledged is on disk. */
process.on('disconnect', () => { process.kill(process.pid, 'SIGKILL') })
/** Ctrl-C reaches the whole process group; the parent decides when this process ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
