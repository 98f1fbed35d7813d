import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tempDir } from '../temp-dir.ts'
import { describeWith, FaultProxy, freePorts, sharedApicurio, sharedKafka, startJavaClient, startKafka, until } from './index.ts'

describe('free ports', () => {
  it('are drawn once only, by whichever process, though nobody listens there yet', async () => {
    const script = `const { freePorts } = await import(${JSON.stringify(fileURLToPath(new URL('ports.ts', import.meta.url)))}); console.log(JSON.stringify(await freePorts(200))); process.stdin.resume()`
    const other = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      const [line] = await once(other.stdout, 'data') as [Buffer]
      const theirs = JSON.parse(line.toString()) as number[]
      const ours = [...await freePorts(100), ...await freePorts(100)]
      expect(new Set([...theirs, ...ours]).size).toBe(400)
    } finally {
      other.stdin.end()
      await once(other, 'exit')
    }
  })
})

describe('the fault proxy', () => {
  const echo = async (): Promise<{ readonly port: number, close (): void }> => {
    const server = createServer(socket => { socket.on('error', () => {}); socket.pipe(socket) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: (server.address() as { port: number }).port, close: () => { server.close() } }
  }
  const dial = async (port: number): Promise<{ readonly socket: Socket, heard (): string }> => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', bytes => { text += bytes.toString() })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return { socket, heard: () => text }
  }

  it('passes bytes on, holds them in a partition, and delivers them when it heals', async () => {
    const server = await echo()
    await using proxy = await FaultProxy.open(server.port)
    const { socket, heard } = await dial(proxy.port)
    socket.write('a')
    await until('an echo', 5_000, () => heard() === 'a')
    await proxy.set({ kind: 'hold', direction: 'down' })
    socket.write('b')
    const other = await dial(proxy.port)
    other.socket.write('x')
    await proxy.set({ kind: 'hold', direction: 'both' })
    expect([heard(), other.heard()]).toEqual(['a', ''])
    await proxy.set({ kind: 'open' })
    await until('the echo of before', 5_000, () => heard() === 'ab' && other.heard() === 'x')
    server.close()
  })

  it('refuses and resets when closed, and listens again when opened', async () => {
    const server = await echo()
    await using proxy = await FaultProxy.open(server.port)
    const { socket } = await dial(proxy.port)
    const closed = new Promise(resolve => socket.once('close', resolve))
    await proxy.set({ kind: 'closed' })
    await closed
    await expect(dial(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.set({ kind: 'open' })
    const again = await dial(proxy.port)
    again.socket.write('hello')
    await until('an echo', 5_000, () => again.heard() === 'hello')
    server.close()
  })

  it('cuts an answer in the middle, once', async () => {
    const server = await echo()
    await using proxy = await FaultProxy.open(server.port)
    proxy.cutAfter('down', 3)
    const first = await dial(proxy.port)
    const closed = new Promise(resolve => first.socket.once('close', resolve))
    first.socket.write('hello')
    await closed
    expect('hel'.startsWith(first.heard())).toBe(true)
    const second = await dial(proxy.port)
    second.socket.write('hello')
    await until('an echo', 5_000, () => second.heard() === 'hello')
    server.close()
  })

  it('keeps the order of bytes while it is slow', async () => {
    const server = await echo()
    await using proxy = await FaultProxy.open(server.port)
    await proxy.set({ kind: 'slow', delayMs: 5, bytesPerSecond: 50_000 })
    const { socket, heard } = await dial(proxy.port)
    const text = Array.from({ length: 200 }, (_, i) => `${i},`).join('')
    const before = performance.now()
    socket.write(text.slice(0, 300))
    socket.write(text.slice(300))
    await until('the echo', 10_000, () => heard().length === text.length)
    expect(heard()).toBe(text)
    expect(performance.now() - before).toBeGreaterThan(10)
    server.close()
  })
})

describe('a child process', () => {
  it('ends with its owner, though the owner is killed', async () => {
    const directory = tempDir()
    const child = fileURLToPath(new URL('child.ts', import.meta.url))
    const script = `const { startChild } = await import(${JSON.stringify(child)}); console.log(startChild('sleep', ['600'], { logFile: ${JSON.stringify(join(directory.path, 'log'))} }).pid); setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(owner.stdout, 'data') as [Buffer]
    const pid = Number(line.toString())
    expect(process.kill(pid, 0)).toBe(true)
    owner.kill('SIGKILL')
    await until('the end of the child', 10_000, () => { try { process.kill(pid, 0); return false } catch { return true } })
    directory.remove()
  })
})

const describeKafka = await describeWith('kafka')
describeKafka('a real Kafka', { timeout: 120_000 }, () => {
  it('is shared by a run: the Java client writes with every codec and reads what was committed', async () => {
    const { bootstrap } = await sharedKafka()
    await using java = await startJavaClient(bootstrap)
    const of = { topic: 'servers-java', partition: 0 }
    await java.createTopic(of.topic, 1, { 'retention.ms': '-1' })
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const producer = await java.producer(codec, `servers-${codec}`)
      await producer.begin()
      await producer.send(of, { timestamp: 5, key: null, value: Buffer.from(codec), headers: [{ key: 'h', value: null }] })
      await producer.commit()
      await producer.begin()
      await producer.send(of, { key: Buffer.alloc(0), value: null })
      await producer.flush()
      await producer.abort()
      await producer.close()
    }
    const committed = await java.read(of)
    expect(committed.map(r => r.value?.toString())).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    expect(committed[0]).toEqual({ offset: 0, timestamp: 5, key: null, value: Buffer.from('none'), headers: [{ key: 'h', value: null }] })
    expect(await java.read(of, { isolation: 'read_uncommitted' })).toHaveLength(10)
    await expect(java.truncate(of, 1_000)).rejects.toThrow('OffsetOutOfRange')
    await java.truncate(of, 4)
    expect(await java.range(of)).toEqual({ start: 4, end: 20 })
  })

  it('loses nothing when its broker is killed, and is reached through a lane that may break', async () => {
    await using kafka = await startKafka({ lanes: 1 })
    await using java = await startJavaClient(kafka.bootstrap)
    const of = { topic: 't', partition: 0 }
    await java.createTopic(of.topic, 1)
    await using far = await startJavaClient(kafka.bootstrapOfLane(0))
    const producer = await far.producer()
    await producer.send(of, { key: null, value: Buffer.from('before') })
    await producer.flush()
    await kafka.restart(1)
    await kafka.lane(0)[0]!.set({ kind: 'closed' })
    const flushed = Promise.all([producer.send(of, { key: null, value: Buffer.from('after') }), producer.flush()])
    expect((await java.read(of)).map(r => r.value?.toString())).toEqual(['before'])
    await kafka.lane(0)[0]!.set({ kind: 'open' })
    await flushed
    expect((await java.read(of)).map(r => r.value?.toString())).toEqual(['before', 'after'])
  })

  it('has another leader soon when one of three brokers is killed', async () => {
    await using kafka = await startKafka({ brokers: 3 })
    await using java = await startJavaClient(kafka.bootstrap)
    await java.createTopic('t', 3)
    const [leader = 0] = await java.leaders('t')
    expect([...await java.leaders('t')].sort()).toEqual([1, 2, 3])
    await kafka.kill(leader)
    await until('another leader', 30_000, async () => { const [now = -1] = await java.leaders('t'); return now > 0 && now !== leader })
    await kafka.start(leader)
  })
})

const describeKcat = await describeWith('kafka', 'kcat')
describeKcat('kcat', { timeout: 60_000 }, () => {
  const kcat = (input: string, ...args: readonly string[]): Promise<string> => new Promise((resolve, reject) => {
    const child = execFile('kcat', args, (e, stdout) => { if (e === null) resolve(stdout); else reject(e) })
    child.stdin?.end(input)
  })

  it('writes and reads, over TLS too', async () => {
    const { bootstrap, listeners, caFile } = await sharedKafka()
    await using java = await startJavaClient(bootstrap)
    await java.createTopic('servers-kcat', 1)
    await kcat('k:one\nk:two\n', '-P', '-b', bootstrap, '-t', 'servers-kcat', '-K:')
    expect(await kcat('', '-C', '-e', '-q', '-b', listeners.tls, '-X', 'security.protocol=ssl', '-X', `ssl.ca.location=${caFile}`, '-t', 'servers-kcat', '-K:')).toBe('k:one\nk:two\n')
  })
})

const describeApicurio = await describeWith('apicurio')
describeApicurio('a real schema registry', { timeout: 120_000 }, () => {
  it('answers at the Confluent API', async () => {
    const { url } = await sharedApicurio()
    expect(await (await fetch(`${url}/subjects`)).json()).toBeInstanceOf(Array) // other files of the run may have registered some
  })
})
