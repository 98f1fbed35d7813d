import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { startDashboards, type Dashboards } from '../../dashboards/server/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { FakeSources, type FakeOptions } from './fake-sources.ts'

const candidates = [process.env['LATIDO_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe']
const executablePath = candidates.find(path => path !== '' && existsSync(path))
if (executablePath === undefined) console.warn('\nSKIPPED: the pages were NOT tested in a browser: no Chromium found. Install one, or set LATIDO_CHROMIUM to its path.\n')
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
export const WAIT: { readonly timeout: number } = { timeout: 60_000 }

/** A suite that needs a browser. */
export const describePages: typeof describe.skip = executablePath === undefined ? describe.skip : describe

export interface Pages {
  /** Of the page that was opened last. */
  readonly sources: FakeSources
  readonly server: Dashboards
  /** Starts a server with sources of its own and opens a page of it. */
  open (path: string, context?: BrowserContextOptions, fake?: Partial<FakeOptions>): Promise<Page>
  /** A picture for a reader of the tests, where LATIDO_SCREENSHOTS names a folder. */
  shoot (page: Page, name: string): Promise<void>
  /** The pseudonym of a patient. */
  keyOf (id: string): string
  /** The card of a patient. */
  bed (page: Page, id: string): ReturnType<Page['locator']>
}

/** Builds the pages and starts a browser for the suite around it. A test in which a page says an error fails. */
export function usePages (): Pages {
  let webRoot: string, browser: Browser, server: Dashboards | undefined, sources: FakeSources
  const faults: string[] = []

  beforeAll(async () => {
    webRoot = await mkdtemp(join(tmpdir(), 'latido-web-'))
    await build({ configFile: resolve('dashboards/web/vite.config.ts'), logLevel: 'error', build: { outDir: webRoot, emptyOutDir: true } })
    browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS })
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await server?.close()
    server = undefined
    expect(faults.splice(0)).toEqual([])
  })
  afterAll(async () => { await browser?.close(); await rm(webRoot, { recursive: true, force: true }) })

  async function open (path: string, context: BrowserContextOptions = {}, fake: Partial<FakeOptions> = {}): Promise<Page> {
    sources = new FakeSources({ clock: systemClock, ...fake })
    server = await startDashboards({ host: '127.0.0.1', port: 0, sources, webRoot })
    const page = await (await browser.newContext({ locale: 'en-GB', viewport: { width: 1600, height: 1000 }, ...context })).newPage()
    page.setDefaultTimeout(WAIT.timeout)
    page.on('pageerror', error => faults.push(error.message))
    page.on('console', message => { if (message.type() === 'error' && !message.text().includes('Failed to load resource') && !message.text().includes('ERR_')) faults.push(message.text()) })
    await page.goto(server.url + path)
    return page
  }
  const shoot = async (page: Page, name: string): Promise<void> => { if (process.env['LATIDO_SCREENSHOTS'] !== undefined) await page.screenshot({ path: `${process.env['LATIDO_SCREENSHOTS']}/${name}.png`, fullPage: true }) }
  const keyOf = (id: string): string => sources.keyOf(id)!
  const bed = (page: Page, id: string): ReturnType<Page['locator']> => page.locator(`[data-patient="${keyOf(id)}"]`)

  return { open, shoot, keyOf, bed, get sources () { return sources }, get server () { return server! } }
}
