import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isLatidoError, LatidoError } from '../../../streams/errors/index.ts'
import type { OfflineSql } from '../clickhouse/index.ts'
import { exists, type Lake } from './lake.ts'

export interface S3Credentials { readonly accessKey: string, readonly secretKey: string }

/**
 * A lake in an S3 store, read and written by ClickHouse's own s3 function, so the store need only be reached from there. Address and credentials
 * are bound parameters: no statement holds them. S3 knows no folders and no renaming: a version is there when its manifest is, which is written last.
 */
export function s3Lake (sql: OfflineSql, url: string, credentials: S3Credentials | undefined): Lake { return new S3Lake(sql, url.replace(/\/+$/, ''), credentials) }

async function textOf (body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

class S3Lake implements Lake {
  readonly name = 'the lake'
  readonly #sql: OfflineSql
  readonly #url: string
  readonly #credentials: S3Credentials | undefined
  constructor (sql: OfflineSql, url: string, credentials: S3Credentials | undefined) { this.#sql = sql; this.#url = url; this.#credentials = credentials }

  #s3 (path: string, format: 'One' | 'RawBLOB'): { readonly from: string, readonly parameters: Readonly<Record<string, string>> } {
    const secrets = this.#credentials === undefined ? 'NOSIGN' : '{lakeKey:String}, {lakeSecret:String}'
    return { from: `s3({lakeUrl:String}, ${secrets}, '${format}')`, parameters: { lakeUrl: `${this.#url}/${path}`, ...(this.#credentials === undefined ? {} : { lakeKey: this.#credentials.accessKey, lakeSecret: this.#credentials.secretKey }) } }
  }

  /** What fails at S3 is the lake's, not the offline store's. */
  async #do<T> (work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (e) {
      if (!isLatidoError(e) || e.code !== 'OFFLINE_QUERY_FAILED') throw e
      throw new LatidoError('LAKE_UNREACHABLE', 'the S3 store of the lake does not answer, or refuses', 'check the address, the credentials (LATIDO_S3_ACCESS_KEY_FILE, LATIDO_S3_SECRET_KEY_FILE) and what they may do', e)
    }
  }

  /** Names that are folders or files below. */
  list (folder: string): Promise<readonly string[]> {
    return this.#do(async () => {
      const { from, parameters } = this.#s3(`${folder}/**`, 'One')
      const paths = await textOf(await this.#sql.bytes(`SELECT DISTINCT _path FROM ${from}`, 'TabSeparatedRaw', { parameters, settings: { s3_throw_on_zero_files_match: 0 } }))
      const names = paths.split('\n').map(path => { const at = path.indexOf(`${folder}/`); return at < 0 ? '' : path.slice(at + folder.length + 1).split('/')[0]! })
      return [...new Set(names)].filter(name => name !== '').sort()
    })
  }

  async #bytes (path: string): Promise<Readable | undefined> {
    const names = await this.list(path.slice(0, path.lastIndexOf('/')))
    if (!names.includes(path.slice(path.lastIndexOf('/') + 1))) return undefined
    const { from, parameters } = this.#s3(path, 'RawBLOB')
    return await this.#do(() => this.#sql.bytes(`SELECT * FROM ${from}`, 'RawBLOB', { parameters }))
  }

  async readText (path: string): Promise<string | undefined> {
    const body = await this.#bytes(path)
    return body === undefined ? undefined : await textOf(body)
  }

  async hash (path: string): Promise<{ readonly sha256: string, readonly bytes: number } | undefined> {
    const body = await this.#bytes(path)
    if (body === undefined) return undefined
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) { hash.update(chunk); bytes += chunk.length }
    return { sha256: hash.digest('hex'), bytes }
  }

  async fetch (path: string, to: string): Promise<void> {
    const body = await this.#bytes(path)
    if (body === undefined) throw new LatidoError('DATASET_DAMAGED', 'a file of the data set is missing', 'restore it from its source, or build the data set again')
    await pipeline(body, createWriteStream(to, { mode: 0o600 }))
  }

  async publish (localFolder: string, names: readonly string[], folder: string): Promise<void> {
    if ((await this.list(folder)).includes(names.at(-1)!)) throw exists(folder)
    for (const name of names) {
      const { from, parameters } = this.#s3(`${folder}/${name}`, 'RawBLOB')
      const body = createReadStream(join(localFolder, name))
      // What an earlier attempt left without its manifest is written over.
      await this.#do(() => this.#sql.load(`FUNCTION ${from}`, 'RawBLOB', body, { parameters, settings: { s3_truncate_on_insert: 1 } }))
      await this.#refuseOther(`${folder}/${name}`, join(localFolder, name))
    }
  }

  async #refuseOther (path: string, local: string): Promise<void> {
    const written = await this.hash(path)
    if (written?.sha256 !== createHash('sha256').update(await readFile(local)).digest('hex')) throw new LatidoError('LAKE_UNREACHABLE', 'the S3 store holds another file than was written', 'try again; look at the store')
  }

  remove (): Promise<void> {
    return Promise.reject(new LatidoError('CONFIG_INVALID', 'a data set in an S3 store cannot be removed from here', 'delete its folder with the tools of the store: ClickHouse reads and writes there, and deletes nothing'))
  }
}
