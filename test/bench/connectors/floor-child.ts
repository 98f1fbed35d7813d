import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** What no receiver that stores can be faster than here: for each frame one durable write into blocks that a file in the directory of the first argument has, and an answer; nothing is read. The end of its input ends it. */
const ENTRY_BYTES = 1_500
const ENTRIES = 2_000
const file = openSync(join(process.argv[2] ?? '', 'floor'), constants.O_RDWR | constants.O_CREAT | (constants.O_DSYNC ?? constants.O_SYNC))
writeSync(file, Buffer.alloc(ENTRIES * ENTRY_BYTES), 0, ENTRIES * ENTRY_BYTES, 0)
const entry = Buffer.alloc(ENTRY_BYTES, 7)
let n = 0

const server = createServer(socket => {
  let open = ''
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', chunk => {
    open += chunk.toString('latin1')
    if (!open.endsWith('\x1c\r')) return
    const id = open.split('|', 10)[9] ?? ''
    open = ''
    writeSync(file, entry, 0, ENTRY_BYTES, n++ % ENTRIES * ENTRY_BYTES)
    socket.write(`\x0bMSH|^~\\&|LATIDO|LATIDO|LIS|BENCH|20310101000000||ACK^R01^ACK|A-${id}|P|2.5.1\rMSA|AA|${id}\r\x1c\r`)
  })
})
server.listen(0, '127.0.0.1', () => { process.stdout.write(`${(server.address() as { readonly port: number }).port}\n`) })
process.stdin.resume()
process.stdin.once('end', () => { closeSync(file); process.exit(0) })
