import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFeeds } from '../../../../ops/config/index.ts'
import { Closers } from '../../../../ops/run/closers.ts'
import { RunningFeeds } from '../../../../ops/run/feeds/index.ts'
import type { Logger } from '../../../../ops/telemetry/index.ts'
import { ManualClock } from '../../../../streams/time/index.ts'
import { openHouse, type House } from '../../../connectors/kit/house.ts'
import { LineHouse } from './line-kind.ts'

const DEFAULTS = { zone: 'UTC', host: '127.0.0.1', httpPort: 8_080 }

export interface FeedsHouse {
  readonly house: House
  readonly line: LineHouse
  readonly feeds: RunningFeeds
  readonly clock: ManualClock
  readonly folder: string
  readonly logged: string[]
  readonly logger: Logger
  put (file: string, text: string): void
  close (): Promise<void>
}

/** Feeds of a folder over a real intake and log; opened again on the same place it is the same after a restart. */
export async function openFeeds (place: string, files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}): Promise<FeedsHouse> {
  const clock = new ManualClock(1_000_000)
  const folder = join(place, 'feeds')
  mkdirSync(folder, { recursive: true })
  const put = (file: string, text: string): void => { writeFileSync(join(folder, file), text) }
  for (const [file, text] of Object.entries(files)) put(file, text)
  const house = await openHouse(place, clock)
  const line = new LineHouse()
  const logged: string[] = []
  const note = (details: object, message: string): void => { logged.push(`${message} ${JSON.stringify(details)}`) }
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  const closers = new Closers()
  const intake = house.intake as unknown as ConstructorParameters<typeof RunningFeeds>[0]['intake']
  const feeds = closers.use(new RunningFeeds({ intake, clock, logger, say: text => { logged.push(text) }, folder, files: { kinds: [line.kind], defaults: DEFAULTS }, env }))
  const read = readFeeds(folder, [line.kind], DEFAULTS)
  for (const loaded of read.feeds) await feeds.start(loaded)
  return { house, line, feeds, clock, folder, logged, logger, put, close: async () => { await closers[Symbol.asyncDispose](); await house.close() } }
}
