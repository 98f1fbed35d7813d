import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** As much of S3's HTTP interface as ClickHouse uses for small objects: PUT, GET with a range, HEAD, ListObjectsV2. Paths are /BUCKET/KEY. */
export interface FakeS3 extends AsyncDisposable {
  readonly url: string
  readonly objects: Map<string, Buffer>
  /** Access keys that requests named. */
  readonly keys: Set<string>
  /** True: every request is refused. */
  closed: boolean
}

export async function startFakeS3 (): Promise<FakeS3> {
  const objects = new Map<string, Buffer>()
  const keys = new Set<string>()
  const state = { closed: false }
  const server = createServer((request, response) => {
    const key = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1]
    if (key !== undefined) keys.add(key)
    if (state.closed || key === 'wrong') { error(response, 403, 'AccessDenied'); return }
    void answer(request, response, objects)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, objects, keys,
    get closed () { return state.closed }, set closed (value) { state.closed = value },
    [Symbol.asyncDispose]: () => new Promise(resolve => { server.close(() => { resolve() }); server.closeAllConnections() }),
  }
}

async function answer (request: IncomingMessage, response: ServerResponse, objects: Map<string, Buffer>): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3')
  const path = decodeURIComponent(url.pathname)
  if (request.method === 'PUT') {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = unchunked(request, Buffer.concat(chunks))
    objects.set(path, body)
    response.writeHead(200, { etag: etagOf(body) }).end()
    return
  }
  if (url.searchParams.get('list-type') === '2') { list(response, path, url.searchParams.get('prefix') ?? '', objects); return }
  const found = objects.get(path)
  if (found === undefined) { error(response, 404, 'NoSuchKey'); return }
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
  const headers = { etag: etagOf(found), 'last-modified': new Date(0).toUTCString(), 'accept-ranges': 'bytes' }
  if (request.method === 'HEAD') { response.writeHead(200, { ...headers, 'content-length': found.length }).end(); return }
  if (range === null) { response.writeHead(200, { ...headers, 'content-length': found.length }).end(found); return }
  const [from, to] = [Number(range[1]), range[2] === '' ? found.length - 1 : Math.min(Number(range[2]), found.length - 1)]
  response.writeHead(206, { ...headers, 'content-length': to - from + 1, 'content-range': `bytes ${from}-${to}/${found.length}` }).end(found.subarray(from, to + 1))
}

/** A signed stream: chunks with their size and signature before them. */
function unchunked (request: IncomingMessage, body: Buffer): Buffer {
  if (!/aws-chunked/.test(request.headers['content-encoding'] ?? '')) return body
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

function list (response: ServerResponse, bucket: string, prefix: string, objects: Map<string, Buffer>): void {
  const root = bucket.endsWith('/') ? bucket : `${bucket}/`
  const found = [...objects].filter(([path]) => path.startsWith(root + prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  const contents = found.map(([path, body]) => `<Contents><Key>${path.slice(root.length)}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>${etagOf(body)}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`)
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>${prefix}</Prefix><KeyCount>${found.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`)
}

function etagOf (body: Buffer): string { return `"${createHash('md5').update(body).digest('hex')}"` }
function error (response: ServerResponse, status: number, code: string): void { response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`) }
