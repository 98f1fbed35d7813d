import { requireServer, sharedKafka } from '../../../../kit/servers/index.ts'
import { logContract, type LogUnderTest } from '../../contract.ts'
import { freshPrefix, openDirect, patientGroup, StoppableClock } from './kit.ts'

/** What the zombie sleeps through; its group alone has so short a session, since a busy machine must not make a zombie of a member that is awake. */
const ZOMBIE_SESSION_MS = 8_000

async function openIn (bootstrap: string, prefix: string): Promise<LogUnderTest> {
  const log = await openDirect(bootstrap)
  return {
    log,
    prefix,
    sleeper: async () => {
      const clock = new StoppableClock()
      await patientGroup(bootstrap, `${prefix}g`, ZOMBIE_SESSION_MS)
      const asleep = await openDirect(bootstrap, { clock })
      return { log: asleep, sleep: () => { clock.stop() }, wake: () => { clock.go() }, close: async () => { await asleep[Symbol.asyncDispose]() } }
    },
    reopen: async () => { await log[Symbol.asyncDispose](); return await openIn(bootstrap, prefix) },
    close: async () => { await log[Symbol.asyncDispose]() },
  }
}

if (await requireServer('kafka')) {
  const { bootstrap } = await sharedKafka()
  logContract('direct', async () => {
    const prefix = freshPrefix()
    await patientGroup(bootstrap, `${prefix}g`)
    return await openIn(bootstrap, prefix)
  })
}
