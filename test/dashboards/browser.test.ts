import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { build } from 'vite'
import { startDashboards, type Dashboards } from '../../dashboards/server/index.ts'
import { LatidoError } from '../../streams/errors/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { STANDARD_GROUP_VIEWS, STANDARD_VIEWS } from '../../features/views/index.ts'
import { FakeSources, type FakeOptions } from './fake-sources.ts'

const candidates = [process.env['LATIDO_CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe']
const executablePath = candidates.find(path => path !== '' && existsSync(path))
if (executablePath === undefined) console.warn('\nSKIPPED: the pages were NOT tested in a browser: no Chromium found. Install one, or set LATIDO_CHROMIUM to its path.\n')
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
const WAIT = { timeout: 20_000 }

/** Runs in the page: pixels of the line's colour in three spans of the heart rate's chart, as shares of its width. */
const INK_BY_SHARE = `(() => {
  const figure = [...document.querySelectorAll('.trend')].find(e => e.textContent.includes('Heart rate'))
  const canvas = figure.querySelector('canvas'), over = figure.querySelector('.u-over')
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--line-1').trim()
  const [r, g, b] = [1, 3, 5].map(i => Number.parseInt(colour.slice(i, i + 2), 16))
  const ratio = canvas.width / canvas.clientWidth
  const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, Math.floor((over.offsetTop + over.clientHeight) * ratio))
  const count = (from, to) => {
    let n = 0
    for (let i = 0; i < data.length; i += 4) {
      const share = ((i / 4 % width) / ratio - over.offsetLeft) / over.clientWidth
      if (share > from && share < to && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 40) n++
    }
    return n
  }
  return { gap: count(4.55 / 6, 4.95 / 6), before: count(4 / 6, 4.4 / 6), after: count(5.1 / 6, 5.5 / 6) }
})()`

/** Runs in the page: the longest values in the tiles of each bed, and those that come nearer than 3 pixels to the next or to the edge of the card. */
const LONGEST_VALUES_APART = `(() => [...document.querySelectorAll('.bed')].flatMap(bed => {
  const boxes = [...bed.querySelectorAll('.vital-value')].map((tile, i) => {
    tile.textContent = ['188', '40', '100', '222/133', '39.9'][i]
    const range = document.createRange()
    range.selectNodeContents(tile)
    return range.getBoundingClientRect()
  })
  const edge = bed.getBoundingClientRect().right
  return boxes.map((box, i) => Math.round((boxes[i + 1] === undefined ? edge : boxes[i + 1].left) - box.right)).filter(gap => gap < 3)
}))()`

describe.skipIf(executablePath === undefined)('the pages in a real browser', { timeout: 60_000 }, () => {
  let webRoot: string, browser: Browser, server: Dashboards | undefined, sources: FakeSources
  const faults: string[] = []

  beforeAll(async () => {
    webRoot = await mkdtemp(join(tmpdir(), 'latido-web-'))
    await build({ configFile: resolve('dashboards/web/vite.config.ts'), logLevel: 'error', build: { outDir: webRoot, emptyOutDir: true } })
    browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS })
  }, 120_000)
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
    page.on('pageerror', error => faults.push(error.message))
    page.on('console', message => { if (message.type() === 'error' && !message.text().includes('Failed to load resource') && !message.text().includes('ERR_')) faults.push(message.text()) })
    await page.goto(server.url + path)
    return page
  }
  const shoot = async (page: Page, name: string): Promise<void> => { if (process.env['LATIDO_SCREENSHOTS'] !== undefined) await page.screenshot({ path: `${process.env['LATIDO_SCREENSHOTS']}/${name}.png`, fullPage: true }) }
  const keyOf = (id: string): string => sources.keyOf(id)!
  const bed = (page: Page, id: string): ReturnType<Page['locator']> => page.locator(`[data-patient="${keyOf(id)}"]`)

  it('shows one card a bed, those of most concern first, with values, ages, a lower bound and what it lacks', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    expect(await page.locator('.bed').count()).toBe(8)
    const first = page.locator('.bed').first()
    expect(await first.getAttribute('data-patient')).toBe(keyOf('TEST-1001'))
    expect(await first.locator('[data-news2]').textContent()).toBe('≥13')
    expect(await first.locator('.bed-missing').textContent()).toContain('consciousness')
    expect(await first.locator('[data-concept="heartRate"] .vital-value').textContent()).toMatch(/^1[23]\d$/)
    expect(await bed(page, 'TEST-1005').locator('.vital-stale').count()).toBe(3)
    expect(await page.locator('[data-alert="alert-1"] .mark').textContent()).toBe('!!!High')
  })

  it('acknowledges by a click, in the role chosen, and shows it without reload', async () => {
    const page = await open('/')
    await page.locator('[data-alert="alert-1"]').waitFor(WAIT)
    await page.evaluate('document.body.dataset.untouched = "yes"')
    await page.locator('[name=role]').selectOption('doctor')
    await page.locator('[data-alert="alert-1"] .acknowledge').click()
    await page.locator('[data-alert="alert-1"][data-state="acknowledged"]').waitFor(WAIT)
    expect(await page.locator('[data-alert="alert-1"]').textContent()).toContain('Acknowledged by Doctor')
    expect(await page.locator('[data-alert="alert-1"] .acknowledge').count()).toBe(0)
    expect(sources.acknowledged).toEqual([{ alertId: 'alert-1', by: 'doctor' }])
    expect(await page.evaluate('document.body.dataset.untouched')).toBe('yes')
  })

  it('shows and announces a new alert that nobody asked for', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    sources.raise('alert-9', 1, 'news2-emergency', 'high', systemClock.now(), 8, 7)
    sources.announce()
    await page.locator('[data-alert="alert-9"]').waitFor(WAIT)
    await page.locator('[aria-live="assertive"]', { hasText: 'New alert, priority high: bed ICU 2' }).waitFor({ ...WAIT, state: 'attached' })
  })

  it('says when an acknowledgement did not arrive', async () => {
    const page = await open('/')
    await page.locator('[data-alert="alert-1"]').waitFor(WAIT)
    sources.acknowledge = () => Promise.reject(new Error('the log is away'))
    await page.locator('[data-alert="alert-1"] .acknowledge').click()
    await page.locator('.acknowledge-failed', { hasText: 'Not acknowledged' }).waitFor(WAIT)
    expect(await page.locator('[data-alert="alert-1"]').getAttribute('data-state')).toBe('active')
  })

  it('filters by ward and orders by bed, and the address says so', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    await page.locator('[name=ward]').selectOption('ICU')
    await page.locator('[name=sort]').selectOption('bed')
    await page.waitForFunction('[...document.querySelectorAll(".bed-label")].map(e => e.lastChild.textContent).join() === "1,2,3,4,10"', undefined, WAIT)
    expect(new URL(page.url()).search).toBe('?ward=ICU&sort=bed')
  })

  it('searches by ward, bed and alert as one types, by keyboard alone, and goes back to all', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    await page.locator('[name=q]').focus()
    await page.keyboard.type('icu sepsis')
    await page.locator('.found', { hasText: 'Nobody is found' }).waitFor(WAIT)
    expect(await page.locator('.bed').count()).toBe(0)
    for (let i = 0; i < ' sepsis'.length; i++) await page.keyboard.press('Backspace')
    await page.locator('.found', { hasText: 'Found: 5' }).waitFor(WAIT)
    await page.keyboard.type(' 1')
    await page.locator('.found', { hasText: 'Found: 1' }).waitFor(WAIT)
    expect(await page.locator('.bed').getAttribute('data-patient')).toBe(keyOf('TEST-1001'))
    expect(await page.evaluate('document.activeElement.name')).toBe('q')
    expect(await page.locator('.found-hidden').textContent()).toContain('Not shown here: 2 patients with alerts')
    expect(page.url()).not.toContain('icu')
    await page.keyboard.press('Escape')
    await page.waitForFunction('document.querySelectorAll(".bed").length === 8', undefined, WAIT)
    expect(await page.locator('.found').count()).toBe(0)
  })

  it('takes what is typed as words, whatever it is, and finds nobody by name', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    for (const text of ['O\'Brien-2 *()|@{}', 'Testova']) {
      await page.locator('[name=q]').fill(text)
      await page.locator('.found', { hasText: 'not names' }).waitFor(WAIT)
    }
  })

  it('orders by NEWS2 and by risk within a ward, with cards that stay live', async () => {
    const page = await open('/?ward=MED&sort=risk')
    await page.locator('.found', { hasText: 'Found: 3' }).waitFor(WAIT)
    const beds = '[...document.querySelectorAll(".bed-label")].map(e => e.lastChild.textContent).join()'
    expect(await page.evaluate(beds)).toBe('2,1,3')
    await page.locator('[name=ward]').selectOption('*')
    await page.locator('[name=sort]').selectOption('news2')
    await page.waitForFunction(`${beds}.startsWith("1,2,3,10")`, undefined, WAIT)
    sources.raise('alert-9', 1, 'news2-emergency', 'high', systemClock.now(), 8, 7)
    sources.announce()
    await page.locator('[data-alert="alert-9"]').waitFor(WAIT)
  })

  it('says why another index answers, in the reader\'s language, and never overflows a phone', async () => {
    const page = await open('/', { locale: 'es-ES', viewport: { width: 390, height: 844 } }, { searchWhy: 'this Redis has no search module' })
    await page.locator('.bed').first().waitFor(WAIT)
    await page.locator('[name=q]').fill('emergencia')
    await page.locator('.found-why', { hasText: 'Búsqueda sin Redis: este Redis no tiene módulo de búsqueda.' }).waitFor(WAIT)
    expect(await page.locator('.bed').count()).toBe(1)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
  })

  it('says when a search fails', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    sources.search = () => Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'the Redis does not answer', 'look at it'))
    await page.locator('[name=q]').fill('icu')
    await page.locator('.found-why[role=alert]', { hasText: 'the Redis does not answer' }).waitFor(WAIT)
  })

  it('draws no line across a gap', async () => {
    const page = await open('/')
    await page.locator('.bed-head').first().click()
    await page.locator('.trend canvas').first().waitFor(WAIT)
    expect(page.url()).not.toContain('TEST-1001')
    const figure = page.locator('.trend', { hasText: 'Heart rate' })
    expect(JSON.parse(await figure.getAttribute('data-gaps') ?? '[]')).toHaveLength(1)
    // The fake sensors are off from 1.5 h to 1 h before now, of 6 h: in those columns nothing of the line's colour is drawn.
    const inked = await page.evaluate(INK_BY_SHARE) as Readonly<Record<'gap' | 'before' | 'after', number>>
    expect(inked.gap).toBe(0)
    expect(inked.before).toBeGreaterThan(20)
    expect(inked.after).toBeGreaterThan(20)
  })

  it('explains NEWS2 part by part and the alert by its reasons', async () => {
    const page = await open('/')
    await page.locator('.bed-head').first().click()
    await page.locator('.news2 .is-three').first().waitFor(WAIT)
    const rows = await page.locator('.news2 tbody tr').allTextContents()
    expect(rows).toHaveLength(7)
    expect(rows.find(row => row.startsWith('Consciousness'))).toContain('missing')
    expect(await page.locator('.why').first().textContent()).toContain('NEWS2, respiration')
    expect(await page.locator('.past').textContent()).toContain('NEWS2 urgent')
  })

  it('says why there are no trends when the offline store is off', async () => {
    const page = await open('/', {}, { offline: 'off' })
    await page.locator('.bed-head').first().click()
    await page.locator('.trends .notice', { hasText: 'offline store' }).waitFor(WAIT)
  })

  it('speaks Spanish to a Spanish browser, writes numbers its way, and remembers a change', async () => {
    const page = await open('/', { locale: 'es-ES' })
    await page.locator('.bed').first().waitFor(WAIT)
    expect(await page.getAttribute('html', 'lang')).toBe('es')
    expect(await page.locator('[data-alert="alert-1"] .acknowledge').textContent()).toBe('Confirmar')
    expect(await page.locator('[data-concept="temperature"] .vital-value').first().textContent()).toMatch(/^\d\d,\d$/)
    await page.locator('[name=language]').selectOption('en')
    await page.reload()
    await page.locator('[data-alert="alert-1"] .acknowledge', { hasText: 'Acknowledge' }).waitFor(WAIT)
  })

  it('announces that the connection is lost when the server stops, and how old its values are', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    expect(await page.locator('.lost').count()).toBe(0)
    await server!.close()
    await page.locator('.lost [role="alert"]', { hasText: 'Connection lost' }).waitFor(WAIT)
    expect(await page.locator('.lost').textContent()).toMatch(/are \d+\u00a0s old/)
    expect(await page.locator('.bed').count()).toBe(8)
    await page.waitForFunction('document.title.startsWith("⚠")', undefined, WAIT)
  })

  it('shows the pipeline and the drift', async () => {
    const page = await open('/pipeline')
    await page.locator('.figures', { hasText: '231' }).waitFor(WAIT)
    expect(await page.locator('.dead-letters').textContent()).toContain('Unit not known')
    await page.getByRole('link', { name: 'Drift' }).click()
    await page.locator('.drift tbody tr').first().waitFor(WAIT)
    expect(await page.locator('.drift tbody tr').first().textContent()).toContain('Oxygen saturation, lowest 15 min')
    expect(await page.locator('.drift .tag-strong').count()).toBe(2)
  })

  it('shows the catalogue: searches by code, opens a view, and speaks Spanish', async () => {
    const page = await open('/catalogue')
    await page.locator('.catalogue-views [data-view="vitals@1"]').waitFor(WAIT)
    expect(await page.locator('.catalogue-views tbody tr').count()).toBe(STANDARD_VIEWS.length + STANDARD_GROUP_VIEWS.length)
    expect(await page.locator('[data-view="labs@1"] .tag-strong').textContent()).toBe('catching up')
    expect(await page.locator('[data-view="sepsis@1"]').textContent()).toContain('model sepsis 1.0.0')
    await page.getByRole('link', { name: 'vitals@1' }).click()
    const detail = page.locator('[data-detail="vitals@1"]')
    await detail.waitFor(WAIT)
    expect(await detail.textContent()).toContain('mean of heart rate over 5 m (tiles of 10 s)')
    expect(await detail.locator('.catalogue-concepts').textContent()).toContain('8867-4')
    await page.locator('[name=q]').fill('2524-7')
    await page.locator('.catalogue-views [data-view="vitals@1"]').waitFor({ ...WAIT, state: 'detached' })
    expect(await page.locator('.catalogue-views [data-view="labs@1"]').textContent()).toContain('5 / ')
    expect(new URL(page.url()).searchParams.get('q')).toBe('2524-7')
    await page.locator('[name=language]').selectOption('es')
    await page.locator('h1', { hasText: 'Catálogo de variables' }).waitFor(WAIT)
  })

  it('the catalogue never overflows a phone', async () => {
    const page = await open('/catalogue?view=news2%401', { viewport: { width: 390, height: 844 } })
    await page.locator('[data-detail="news2@1"]').waitFor(WAIT)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    if (process.env['LATIDO_SCREENSHOTS'] !== undefined) await page.screenshot({ path: `${process.env['LATIDO_SCREENSHOTS']}/catalogue-phone.png`, fullPage: false })
  })

  it('shows how each feed stands, and maps a code from its form', async () => {
    const page = await open('/feeds')
    const lab = page.locator('[data-feed="lab"]')
    await lab.waitFor(WAIT)
    expect(await lab.locator('.feed-facts').textContent()).toContain('4,211')
    expect(await page.locator('[data-feed="monitors"] [data-health="waiting"]').textContent()).toContain('the broker is away')
    expect(await page.locator('[data-feed="monitors"] .feed-configuration').textContent()).toContain('monitors.json:5: options.prot')
    expect(await page.locator('[data-feed="monitors"]').textContent()).toContain('Every code that came is mapped.')
    expect(await page.locator('[data-device="monitor-07"]').textContent()).toMatch(/7\smin behind/)
    expect(await page.locator('[data-device="monitor-12"]').textContent()).toMatch(/60\smin ahead.*summer time/)
    expect(await page.locator('[data-feed="monitors"]').textContent()).toContain('Further devices that are out: 1')
    await shoot(page, 'feeds')
    sources.feeds.refusal = { kind: 'invalid', why: '"mg/dL" is no unit of heartRate, which is kept in /min' }
    await page.getByLabel('Concept for code KREA').selectOption('creatinine')
    await page.getByLabel('Unit of values of code KREA').fill('umol/L')
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    await lab.getByRole('alert').waitFor(WAIT)
    expect(await lab.getByRole('alert').textContent()).toContain('is no unit of heartRate')
    sources.feeds.refusal = undefined
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    await lab.locator('[data-code="KREA"]').waitFor({ ...WAIT, state: 'detached' })
    expect(sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'KREA', concept: 'creatinine', unit: 'umol/L', by: 'engineer' }])
    await lab.getByRole('link', { name: 'dead letters of this feed' }).click()
    await page.locator('h1', { hasText: 'Dead letters' }).waitFor(WAIT)
    expect(new URL(page.url()).search).toBe('?cause=code-unknown&feed=lab')
  })

  it('of many codes shows the most frequent, all on request, and finds one; and says that somebody else was faster', async () => {
    const page = await open('/feeds', { viewport: { width: 1280, height: 720 } })
    const [lab, ...rest] = sources.feeds.list
    sources.feeds.list = [{ ...lab!, unmapped: Array.from({ length: 40 }, (_, i) => ({ ...lab!.unmapped[0]!, code: `X${i}`, text: i === 33 ? 'Laktat im Blut' : 'Anderes', count: 100 - i })) }, ...rest]
    const feed = page.locator('[data-feed="lab"]')
    await feed.getByText('Shown: 10 of 40').waitFor(WAIT)
    expect(await feed.locator('[data-code]').count()).toBe(10)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280)
    await shoot(page, 'feeds-many')
    await feed.getByRole('button', { name: 'Show all' }).click()
    expect(await feed.locator('[data-code]').count()).toBe(40)
    await feed.getByLabel('Find a code').fill('laktat')
    expect(await feed.locator('[data-code]').count()).toBe(1)
    sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'potassium', unit: '' }
    await page.getByLabel('Concept for code X33').selectOption('lactate')
    await page.getByRole('button', { name: 'Map code X33' }).click()
    await feed.getByText('Code X33 was mapped by somebody else meanwhile: the table says potassium').waitFor(WAIT)
  })

  it('a code is not mapped without a concept, and the files are read again on request', async () => {
    const page = await open('/feeds')
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    expect(await page.evaluate('document.querySelector("[data-code=KREA] select").validity.valueMissing')).toBe(true)
    expect(sources.feeds.mapped).toEqual([])
    await page.getByRole('button', { name: 'Read the files again' }).click()
    await page.getByText('Read again: 1. Refused: 1.').waitFor(WAIT)
    expect(sources.feeds.reloads).toBe(1)
  })

  it('retries and drops dead letters, says what became of them, and filters by the address', async () => {
    const page = await open('/deadletters')
    const row = (offset: number): ReturnType<Page['locator']> => page.locator(`[data-letter="${offset}"]`)
    await row(101).waitFor(WAIT)
    await shoot(page, 'dead-letters')
    expect(await row(103).textContent()).toContain('No feed can read it again')
    await page.getByRole('button', { name: 'Retry letter 102' }).click()
    await row(102).locator('.letter-last').waitFor(WAIT)
    expect(await row(102).locator('.letter-last').textContent()).toContain('refused again by engineer')
    await page.getByRole('button', { name: 'Retry letter 101' }).click()
    await row(101).waitFor({ ...WAIT, state: 'detached' })
    await page.getByRole('button', { name: 'Drop letter 103' }).click()
    expect(sources.deadLetters.show(103)?.state).toBe('open')
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByRole('button', { name: 'Drop letter 103' }).click()
    await page.getByRole('button', { name: 'Drop for good' }).click()
    await row(103).waitFor({ ...WAIT, state: 'detached' })
    await page.locator('[name=state]').selectOption('all')
    await row(101).waitFor(WAIT)
    expect(await page.locator('[data-letter]').count()).toBe(3)
    await page.locator('[name=cause]').selectOption('merge-loop')
    await page.getByText('No dead letters match.').waitFor(WAIT)
    expect(new URL(page.url()).searchParams.get('cause')).toBe('merge-loop')
  })

  it('explains a letter: what to do, and on request alone the message with the refused field marked', async () => {
    const page = await open('/deadletters')
    await page.getByRole('button', { name: 'Explain letter 101' }).click()
    const more = page.locator('[data-explained="101"]')
    expect(await more.textContent()).toContain('Nothing says what this code means. Map it, then retry.')
    expect(sources.deadLetters.opened).toBe(0)
    await more.getByRole('button', { name: 'Show the message of letter 101' }).click()
    await more.locator('mark').waitFor(WAIT)
    expect(await more.locator('mark').textContent()).toBe('XLAC^Laktat^L')
    expect(await more.locator('li').count()).toBe(4)
    expect(sources.deadLetters.opened).toBe(1)
    await shoot(page, 'dead-letters-explained')
    await page.getByRole('button', { name: 'Explain letter 101' }).click()
    expect(await more.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Explain letter 101' }).press('Enter')
    expect(await more.locator('li').count()).toBe(0)
    await more.getByRole('link', { name: 'To the feeds' }).click()
    await page.locator('h1', { hasText: 'Feeds' }).waitFor(WAIT)
  })

  it('retries all that match, and speaks Spanish', async () => {
    const page = await open('/deadletters?cause=code-unknown', { locale: 'es-ES' })
    await page.getByRole('button', { name: 'Reintentar los que coinciden' }).click()
    await page.getByText('1 reintentados: 1 publicados').waitFor(WAIT)
    await page.locator('h1', { hasText: 'Mensajes rechazados' }).waitFor(WAIT)
    await page.goto(`${server!.url}/feeds`)
    await page.locator('[data-feed="lab"]').waitFor(WAIT)
    expect(await page.locator('.unmapped').textContent()).toContain('Elija un concepto')
  })

  it('says when feeds and dead letters cannot be loaded', async () => {
    const page = await open('/deadletters?state=nonsense')
    await page.getByRole('alert').waitFor(WAIT)
    expect(await page.getByRole('alert').textContent()).toContain('Could not be loaded')
    sources.feeds.list = []
    await page.goto(`${server!.url}/feeds`)
    await page.getByText('No feeds run on this instance.').waitFor(WAIT)
  })

  it('feeds and dead letters never overflow a phone', async () => {
    const page = await open('/feeds', { viewport: { width: 390, height: 844 } })
    await page.locator('[data-feed="lab"]').waitFor(WAIT)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await shoot(page, 'feeds-phone')
    await page.goto(`${server!.url}/deadletters`)
    await page.locator('[data-letter]').first().waitFor(WAIT)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await shoot(page, 'dead-letters-phone')
  })

  it('no value on the board touches its neighbour or leaves its card, however narrow the screen and long the values', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    for (const width of [320, 390, 880, 1280, 1440, 1920]) {
      await page.setViewportSize({ width, height: 720 })
      expect(await page.evaluate(LONGEST_VALUES_APART), `${width} pixels`).toEqual([])
    }
  })

  it('no figure of the pipeline stands on its neighbour on a small laptop', async () => {
    const page = await open('/pipeline', { viewport: { width: 1280, height: 720 } })
    await page.locator('.figures', { hasText: '231' }).waitFor(WAIT)
    expect(await page.evaluate('[...document.querySelectorAll(".figures dd")].filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)')).toEqual([])
  })

  it('does not flash for who wants no motion, and never overflows a phone', async () => {
    const page = await open('/', { reducedMotion: 'reduce', viewport: { width: 390, height: 844 } })
    await page.locator('.bed').first().waitFor(WAIT)
    expect(await page.evaluate('getComputedStyle(document.querySelector(".strip-high .mark-sign")).animationName')).toBe('none')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
  })
})
