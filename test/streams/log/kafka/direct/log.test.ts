import { requireServer, sharedKafka } from '../../../../kit/servers/index.ts'
import { logContract, type LogUnderTest } from '../../contract.ts'
import { freshPrefix, openDirect, StoppableClock } from './kit.ts'

async function openIn (bootstrap: string, prefix: string): Promise<LogUnderTest> {
  const log = await openDirect(bootstrap)
  return {
    log,
    prefix,
    sleeper: async () => {
      const clock = new StoppableClock()
      const asleep = await openDirect(bootstrap, { clock })
      return { log: asleep, sleep: () => { clock.stop() }, wake: () => { clock.go() }, close: async () => { await asleep[Symbol.asyncDispose]() } }
    },
    reopen: async () => { await log[Symbol.asyncDispose](); return await openIn(bootstrap, prefix) },
    close: async () => { await log[Symbol.asyncDispose]() },
  }
}

if (await requireServer('kafka')) {
  const { bootstrap } = await sharedKafka()
  logContract('direct', () => openIn(bootstrap, freshPrefix()))
}
