import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { openLog } from '../../../../chaos/open-log.ts'
import { describeWith, sharedKafka, startJavaClient, until } from '../../../../kit/servers/index.ts'

const describeKafka = await describeWith('kafka')
describeKafka('what a dead member left open', () => {
  it('is ended by its heir, though no offset was in it: else readers of the outputs wait for the transaction timeout', async () => {
    const { bootstrap } = await sharedKafka()
    await using java = await startJavaClient(bootstrap)
    await using log = await openLog('direct', bootstrap, 1, 'none', 60_000)
    const group = `dead-${randomUUID()}`
    const topics = ['in', 'out'].map(name => ({ name: `${group}.${name}`, partitions: 1, timestamps: 'create' as const, retentionMs: 0 }))
    await log.ensureTopics(topics)
    const output = { topic: `${group}.out`, partition: 0 }
    const dead = await log.transactionalProducer(`${group}.${randomUUID()}`)
    const large = Buffer.alloc(400_000, 'x')
    for (let i = 0; i < 8; i++) dead.append(output, [{ key: null, value: large }])
    await until('records of an open transaction', 60_000, async () => (await java.range(output, 'read_uncommitted')).end > 0)
    await log.producer().append(output, [{ key: null, value: Buffer.from('after') }])
    expect((await java.range(output)).end).toBe(0)
    await using heir = log.consumer({ group, instance: randomUUID(), topics: [`${group}.in`], from: 'earliest' })
    await until('the record behind it', 60_000, async () => { await heir.poll(100); return (await java.range(output)).end > 0 })
    expect((await java.read(output)).map(r => String(r.value))).toEqual(['after'])
    await expect(dead.commit(heir.metadata, [])).rejects.toMatchObject({ code: 'PRODUCER_FENCED' })
  })
})
