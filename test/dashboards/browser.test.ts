import { expect, it } from 'vitest'
import { LatidoError } from '../../streams/errors/index.ts'
import { systemClock } from '../../streams/time/index.ts'
import { describePages, usePages, WAIT } from './browser-kit.ts'

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

describePages('the pages in a real browser', () => {
  const pages = usePages()
  const { open, keyOf, bed } = pages

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
    expect(pages.sources.acknowledged).toEqual([{ alertId: 'alert-1', by: 'doctor' }])
    expect(await page.evaluate('document.body.dataset.untouched')).toBe('yes')
  })

  it('shows and announces a new alert that nobody asked for', async () => {
    const page = await open('/')
    await page.locator('.bed').first().waitFor(WAIT)
    pages.sources.raise('alert-9', 1, 'news2-emergency', 'high', systemClock.now(), 8, 7)
    pages.sources.announce()
    await page.locator('[data-alert="alert-9"]').waitFor(WAIT)
    await page.locator('[aria-live="assertive"]', { hasText: 'New alert, priority high: bed ICU 2' }).waitFor({ ...WAIT, state: 'attached' })
  })

  it('says when an acknowledgement did not arrive', async () => {
    const page = await open('/')
    await page.locator('[data-alert="alert-1"]').waitFor(WAIT)
    pages.sources.acknowledge = () => Promise.reject(new Error('the log is away'))
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
    pages.sources.raise('alert-9', 1, 'news2-emergency', 'high', systemClock.now(), 8, 7)
    pages.sources.announce()
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
    pages.sources.search = () => Promise.reject(new LatidoError('ONLINE_UNAVAILABLE', 'the Redis does not answer', 'look at it'))
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
    const inked = async (): Promise<Readonly<Record<'gap' | 'before' | 'after', number>>> => await page.evaluate(INK_BY_SHARE) as Readonly<Record<'gap' | 'before' | 'after', number>>
    await expect.poll(async () => { const { before, after } = await inked(); return Math.min(before, after) }).toBeGreaterThan(20)
    expect((await inked()).gap).toBe(0)
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
    await pages.server.close()
    await page.locator('.lost [role="alert"]', { hasText: 'Connection lost' }).waitFor(WAIT)
    expect(await page.locator('.lost').textContent()).toMatch(/are \d+\u00a0(?:s|min) old/)
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

  it('finds a row of the drift table by words, view and state, and the address says so', async () => {
    const page = await open('/drift')
    await page.locator('.drift-filters', { hasText: 'Shown: 7 of 7' }).waitFor(WAIT)
    await page.locator('.drift [name=state]').selectOption('drift')
    await page.locator('.drift-filters', { hasText: 'Shown: 2 of 7' }).waitFor(WAIT)
    await page.locator('.drift [name=view]').selectOption('labs@1')
    await page.locator('.drift-filters', { hasText: 'Shown: 1 of 7' }).waitFor(WAIT)
    expect(new URL(page.url()).search).toBe('?state=drift&view=labs%401')
    await page.locator('.drift [name=q]').fill('LACTATE last')
    expect(await page.locator('.drift tbody tr').textContent()).toContain('lactateLast')
    await page.locator('.drift [name=q]').fill('oxygen')
    await page.locator('.notice', { hasText: 'Nothing fits' }).waitFor(WAIT)
    expect(await page.locator('.drift-summary').textContent()).toContain('2 of 7 features drift')
  })

  it('the header takes one row on a laptop, in either language', async () => {
    for (const locale of ['en-GB', 'es-ES']) {
      const page = await open('/pipeline', { locale, viewport: { width: 1280, height: 720 } })
      await page.locator('.figures', { hasText: '231' }).waitFor(WAIT)
      expect(await page.evaluate('[document.querySelector(".top").offsetHeight < 90, document.documentElement.scrollWidth]'), locale).toEqual([true, 1280])
    }
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
