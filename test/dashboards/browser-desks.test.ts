import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { PRODUCT_VIEWS } from '../../features/views/index.ts'
import { describePages, usePages, WAIT } from './browser-kit.ts'

describePages('the pages of the engineer in a real browser', () => {
  const pages = usePages()
  const { open, shoot } = pages

  it('shows the catalogue: searches by code, opens a view, and speaks Spanish', async () => {
    const page = await open('/catalogue')
    await page.locator('.catalogue-views [data-view="vitals@1"]').waitFor(WAIT)
    expect(await page.locator('.catalogue-views tbody tr').count()).toBe(PRODUCT_VIEWS.length)
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
    pages.sources.feeds.refusal = { kind: 'invalid', why: '"mg/dL" is no unit of heartRate, which is kept in /min' }
    await page.getByLabel('Concept for code KREA').selectOption('creatinine')
    await page.getByLabel('Unit of values of code KREA').fill('umol/L')
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    await lab.getByRole('alert').waitFor(WAIT)
    expect(await lab.getByRole('alert').textContent()).toContain('is no unit of heartRate')
    pages.sources.feeds.refusal = undefined
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    await lab.locator('[data-code="KREA"]').waitFor({ ...WAIT, state: 'detached' })
    expect(pages.sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'KREA', concept: 'creatinine', unit: 'umol/L', by: 'engineer' }])
    await lab.getByRole('link', { name: 'dead letters of this feed' }).click()
    await page.locator('h1', { hasText: 'Dead letters' }).waitFor(WAIT)
    expect(new URL(page.url()).search).toBe('?cause=code-unknown&feed=lab')
  })

  it('of many codes shows the most frequent, all on request, and finds one; and says that somebody else was faster', async () => {
    const page = await open('/feeds', { viewport: { width: 1280, height: 720 } })
    const [lab, ...rest] = pages.sources.feeds.list
    pages.sources.feeds.list = [{ ...lab!, unmapped: Array.from({ length: 40 }, (_, i) => ({ ...lab!.unmapped[0]!, code: `X${i}`, text: i === 33 ? 'Laktat im Blut' : 'Anderes', count: 100 - i })) }, ...rest]
    const feed = page.locator('[data-feed="lab"]')
    await feed.getByText('Shown: 10 of 40').waitFor(WAIT)
    expect(await feed.locator('[data-code]').count()).toBe(10)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280)
    await shoot(page, 'feeds-many')
    await feed.getByRole('button', { name: 'Show all' }).click()
    expect(await feed.locator('[data-code]').count()).toBe(40)
    await feed.getByLabel('Find a code').fill('laktat')
    expect(await feed.locator('[data-code]').count()).toBe(1)
    pages.sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'potassium', unit: '' }
    await page.getByLabel('Concept for code X33').selectOption('lactate')
    await page.getByRole('button', { name: 'Map code X33' }).click()
    await feed.getByText('Somebody else has changed code X33 meanwhile: the table says potassium').waitFor(WAIT)
  })

  it('ignores a code that is not wanted, and leads to the letters that a retry closes', async () => {
    const page = await open('/feeds')
    const lab = page.locator('[data-feed="lab"]')
    await page.getByRole('button', { name: 'Ignore code XPULS' }).click()
    await lab.locator('[data-code="XPULS"]').waitFor({ ...WAIT, state: 'detached' })
    expect(pages.sources.feeds.mapped).toEqual([{ feed: 'lab', system: '', code: 'XPULS', concept: 'ignore', unit: '', by: 'engineer' }])
    expect(await lab.locator('.feed-mapped').textContent()).toContain('Code XPULS is ignored from now on.')
    expect(await lab.locator('.feed-facts').textContent()).toContain('Ignored parts206')
  })

  it('shows what the own table says on request; a row is changed and removed as it was seen, and what somebody else changed meanwhile is told', async () => {
    const page = await open('/feeds')
    const lab = page.locator('[data-feed="lab"]')
    expect(await page.locator('[data-own]').count()).toBe(0)
    await page.getByRole('button', { name: 'Own table of codes of lab' }).click()
    await lab.locator('[data-own="GLOSSE"]').waitFor(WAIT)
    expect(await lab.locator('[data-own="GLOSSE"]').textContent()).toContain('not wanted')
    expect(await lab.locator('[data-own="K"]').textContent()).toMatch(/Potassium.*mmol\/L/)
    await page.getByRole('button', { name: 'Change code K', exact: true }).click()
    await shoot(page, 'feeds-table')
    await lab.getByLabel('Concept for code K', { exact: true }).selectOption('sodium')
    await page.getByRole('button', { name: 'Map code K', exact: true }).click()
    await lab.locator('[data-own="K"]', { hasText: 'Sodium' }).waitFor(WAIT)
    expect(pages.sources.feeds.mapped).toEqual([{ feed: 'lab', system: 'L', code: 'K', concept: 'sodium', unit: 'mmol/L', was: { concept: 'potassium', unit: 'mmol/L' }, by: 'engineer' }])
    await page.getByRole('button', { name: 'Remove code GLOSSE' }).click()
    pages.sources.feeds.refusal = { kind: 'mapped-otherwise', concept: 'lactate', unit: '' }
    await page.getByRole('button', { name: 'Remove GLOSSE from the table' }).click()
    await lab.getByText('Somebody else has changed code GLOSSE meanwhile: the table says lactate').waitFor(WAIT)
    pages.sources.feeds.refusal = undefined
    await page.getByRole('button', { name: 'Remove code GLOSSE' }).click()
    await page.getByRole('button', { name: 'Remove GLOSSE from the table' }).click()
    await lab.locator('[data-own="GLOSSE"]').waitFor({ ...WAIT, state: 'detached' })
    await lab.getByLabel('Find a code').last().fill('xlac3')
    await lab.getByText('Shown: 1 of 1').waitFor(WAIT)
  })

  it('a code is not mapped without a concept, and the files are read again on request', async () => {
    const page = await open('/feeds')
    await page.getByRole('button', { name: 'Map code KREA' }).click()
    expect(await page.evaluate('document.querySelector("[data-code=KREA] select").validity.valueMissing')).toBe(true)
    expect(pages.sources.feeds.mapped).toEqual([])
    await page.getByRole('button', { name: 'Read the files again' }).click()
    await page.getByText('Read again: 1. Refused: 1.').waitFor(WAIT)
    expect(pages.sources.feeds.reloads).toBe(1)
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
    expect(pages.sources.deadLetters.show(103)?.state).toBe('open')
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

  it('says why a letter was closed without a cause: a newer version had come', async () => {
    const page = await open('/deadletters?state=retried')
    const { deadLetters } = pages.sources
    const [first, ...others] = deadLetters.letters
    deadLetters.letters = [{ ...first!, state: 'retried', retryable: false, attempts: 1, last: { action: 'retried', outcome: 'duplicate', cause: '', detail: 'a newer version has come since; this one is not used', at: first!.refusedAt, by: 'engineer' } }, ...others]
    await page.locator('[data-letter="101"]').waitFor(WAIT)
    expect(await page.locator('[data-letter="101"] .letter-last').textContent()).toContain('a newer version has come since; this one is not used')
  })

  it('explains a letter: what to do, and on request alone the message with the refused field marked', async () => {
    const page = await open('/deadletters')
    await page.getByRole('button', { name: 'Explain letter 101' }).click()
    const more = page.locator('[data-explained="101"]')
    expect(await more.textContent()).toContain('Nothing says what this code means. Map it, or ignore it if nobody wants it; then retry.')
    expect(pages.sources.deadLetters.opened).toBe(0)
    await more.getByRole('button', { name: 'Show the message of letter 101' }).click()
    await more.locator('mark').waitFor(WAIT)
    expect(await more.locator('mark').textContent()).toBe('XLAC^Laktat^L')
    expect(await more.locator('li').count()).toBe(4)
    expect(pages.sources.deadLetters.opened).toBe(1)
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
    await page.goto(`${pages.server.url}/feeds`)
    await page.locator('[data-feed="lab"]').waitFor(WAIT)
    expect(await page.getByRole('table', { name: 'Códigos sin concepto' }).textContent()).toContain('Elija un concepto')
  })

  it('drops all that match after a question that says how many, and none that came meanwhile', async () => {
    const page = await open('/deadletters?feed=lab')
    const { deadLetters } = pages.sources
    await page.getByRole('button', { name: 'Drop all that match' }).click()
    await page.getByRole('button', { name: 'Keep' }).click()
    expect(deadLetters.letters.map(({ state }) => state)).toEqual(['open', 'open', 'open'])
    await page.getByRole('button', { name: 'Drop all that match' }).click()
    deadLetters.letters = [...deadLetters.letters, { ...deadLetters.letters[0]!, offset: 104 }]
    await shoot(page, 'dead-letters-drop')
    await page.getByRole('button', { name: 'Drop 2 for good' }).click()
    await page.getByText('2 dropped, 1 left.').waitFor(WAIT)
    expect(deadLetters.letters.map(({ offset, state }) => [offset, state])).toEqual([[101, 'dropped'], [102, 'dropped'], [103, 'open'], [104, 'open']])
    await page.goto(`${pages.server.url}/deadletters?state=dropped`)
    await page.locator('[data-letter="101"]').waitFor(WAIT)
    expect(await page.getByRole('button', { name: 'Drop all that match' }).count()).toBe(0)
  })

  it('says when feeds and dead letters cannot be loaded', async () => {
    const page = await open('/deadletters?state=nonsense')
    await page.getByRole('alert').waitFor(WAIT)
    expect(await page.getByRole('alert').textContent()).toContain('Could not be loaded')
    pages.sources.feeds.list = []
    await page.goto(`${pages.server.url}/feeds`)
    await page.getByText('No feeds run on this instance.').waitFor(WAIT)
  })

  it('feeds and dead letters never overflow a phone', async () => {
    const page = await open('/feeds', { viewport: { width: 390, height: 844 } })
    await page.locator('[data-feed="lab"]').waitFor(WAIT)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await page.getByRole('button', { name: 'Own table of codes of lab' }).click()
    await page.getByRole('button', { name: 'Change code K', exact: true }).click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await shoot(page, 'feeds-phone')
    await page.goto(`${pages.server.url}/deadletters`)
    await page.locator('[data-letter]').first().waitFor(WAIT)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await shoot(page, 'dead-letters-phone')
  })
})
