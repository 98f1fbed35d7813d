import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { PLAIN_MAPPING } from '../../../connectors/kit/index.ts'
import { ManualClock } from '../../../streams/time/index.ts'
import { describeWith, startOrthanc, until, type OrthancServer } from '../../kit/servers/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { sealer } from '../kit/house.ts'
import { image, NOW_MS, Radiology, text } from './support.ts'

const describeOrthanc = await describeWith('orthanc')

describeOrthanc('a real Orthanc', () => {
  let directory: ReturnType<typeof tempDir>
  let clock: ManualClock
  let orthanc: OrthancServer
  let radiology: Radiology
  const options = (): Readonly<Record<string, unknown>> => ({ url: orthanc.url, username: orthanc.username, password: { env: 'ORTHANC_PASSWORD' } })

  beforeAll(async () => { orthanc = await startOrthanc() }, 60_000)
  afterAll(async () => { await orthanc[Symbol.asyncDispose]() })
  beforeEach(async () => {
    directory = tempDir()
    clock = new ManualClock(NOW_MS)
    radiology = await Radiology.open(directory.path, clock, options())
  })
  afterEach(async () => {
    await radiology.close()
    directory.remove()
    await orthanc.kill()
    orthanc.empty()
    await orthanc.start()
  }, 60_000)

  async function restart (more: Parameters<typeof Radiology.open>[3] = {}, changed: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await radiology.close()
    radiology = await Radiology.open(directory.path, clock, { ...options(), ...changed }, more)
  }

  it('tells of a new study once, with its time, its code and its number of series, and without its identifiers', async () => {
    await orthanc.upload(image({ study: '1', more: { '00080201': text('SH', '+0200'), '00081032': { vr: 'SQ', items: [{ '00080100': text('SH', '24627-2'), '00080102': text('SH', 'LN'), '00080104': text('LO', 'CT chest') }] } } }), image({ study: '1', instance: '2' }))
    const said = await radiology.until('the study', all => all.length > 0)
    expect(said).toMatchObject([{
      type: 'statement', kind: 'imaging', source: 'dicom:orthanc', statementId: expect.stringMatching(/^[0-9a-f]{32}$/), status: 'completed',
      system: 'http://loinc.org', code: '24627-2', eventTime: Date.UTC(2031, 4, 6, 6, 15), endTime: -1, value: 1, unit: '{series}',
    }])
    expect(JSON.stringify(said)).not.toMatch(/PX-1|Invented|1\.2\.826/)
    await radiology.calm()
    expect(await radiology.statements()).toHaveLength(1)
    expect(radiology.patients).toEqual(['PX-1'])
    await restart()
    await radiology.calm()
    expect(await radiology.statements()).toHaveLength(1)
  }, 60_000)

  it('replaces the statement of a study that grows by a series', async () => {
    await orthanc.upload(image({ study: '2', more: { '00180015': text('CS', 'CHEST') } }))
    await radiology.until('the study', all => all.length === 1)
    await orthanc.upload(image({ study: '2', instance: '2' }), image({ study: '2', series: '2', more: { '00080060': text('CS', 'SR') } }))
    const [first, second, ...more] = await radiology.until('the grown study', all => all.length >= 2)
    expect([first, second]).toMatchObject([{ value: 1, code: 'CT/CHEST' }, { value: 2, code: 'CT/CHEST', statementId: first!.statementId, status: 'completed' }])
    expect(more).toEqual([])
  }, 60_000)

  it('tells of a study that an Orthanc took in before it was killed, though that never says that it became stable; waits meanwhile', async () => {
    await using patient = await startOrthanc({ stableAfterS: 3_600 }) // so it is killed before, however long that takes
    await restart({}, { url: patient.url })
    await until('the connector', 30_000, () => radiology.connector.health().state === 'up')
    await patient.upload(image({ study: '3' }))
    await patient.kill()
    await until('waiting', 30_000, () => radiology.connector.health().state === 'waiting')
    expect(radiology.connector.health().why).toMatch(/^Orthanc does not answer \(\w+\)$/)
    await patient.start()
    await radiology.until('the study', all => all.length === 1)
    expect(JSON.stringify(await patient.call('GET', '/changes'))).not.toContain('StableStudy')
    await until('up again', 30_000, () => radiology.connector.health().state === 'up')
  }, 90_000)

  it('tells of a study once when it ends between taking it and keeping that it did', async () => {
    await restart({ through: tables => name => ({ load: (...args) => tables(name).load(...args), save: () => Promise.resolve() }) }) // nothing reaches the disk
    await orthanc.upload(image({ study: '4' }), image({ study: '5' }))
    await radiology.until('both', all => all.length === 2)
    await restart()
    await until('both come again, and are known', 30_000, () => (radiology.house.counts.get('duplicate') ?? 0) >= 2)
    await radiology.calm()
    expect(await radiology.statements()).toHaveLength(2)
  }, 60_000)

  it('withdraws what was deleted, also while nobody looked, and states it anew when it comes back', async () => {
    const study = await orthanc.upload(image({ study: '6' }))
    await radiology.until('the study', all => all.length === 1)
    await radiology.close()
    await orthanc.call('DELETE', `/studies/${study}`)
    radiology = await Radiology.open(directory.path, clock, options())
    await radiology.until('the withdrawal', all => all.length === 2)
    await orthanc.upload(image({ study: '6' }))
    const said = await radiology.until('the study again', all => all.length === 3)
    expect(said.map(s => s.status)).toEqual(['completed', 'withdrawn', 'completed'])
    expect(new Set(said.map(s => `${s.statementId} ${s.eventTime}`)).size).toBe(1)
  }, 60_000)

  it('leaves what was deleted as it is where the archive throws old studies away', async () => {
    await restart({}, { deletions: 'keep' })
    const study = await orthanc.upload(image({ study: '7' }))
    await radiology.until('the study', all => all.length === 1)
    await orthanc.call('DELETE', `/studies/${study}`)
    await until('noticed', 30_000, () => radiology.house.counts.get('deleted-kept') === 1)
    expect(await radiology.statements()).toHaveLength(1)
  }, 60_000)

  it('finds what came in while nobody looked, though the feed was emptied', async () => {
    await orthanc.upload(image({ study: '8' }))
    await radiology.until('the study', all => all.length === 1)
    await radiology.close()
    await orthanc.upload(image({ study: '9' }))
    await orthanc.call('DELETE', '/changes')
    radiology = await Radiology.open(directory.path, clock, options())
    await radiology.until('the other study', all => all.length === 2)
  }, 60_000)

  it('notices that an archive was exchanged for another: what is new there is told, and nothing is withdrawn', async () => {
    await orthanc.upload(image({ study: '10' }), image({ study: '11' }))
    await radiology.until('both', all => all.length === 2)
    await orthanc.kill()
    orthanc.empty()
    await orthanc.start()
    await orthanc.upload(image({ study: '12' }), image({ study: '11' }))
    const said = await radiology.until('the new one', all => all.length === 3)
    expect(radiology.house.counts.get('archive-exchanged')).toBeGreaterThan(0)
    // Two where it looked before anything was there; the one that came back is the one that was known.
    await until('the missing one is noticed', 30_000, () => (radiology.house.counts.get('not-in-new-archive') ?? 0) > 0)
    await radiology.calm()
    expect(await radiology.statements()).toEqual(said)
    expect(said.map(s => s.status)).toEqual(['completed', 'completed', 'completed'])
  }, 90_000)

  it('leaves anonymised copies out, and counts them', async () => {
    const study = await orthanc.upload(image({ study: '13' }))
    await radiology.until('the study', all => all.length === 1)
    await orthanc.call('POST', `/studies/${study}/anonymize`, {})
    await orthanc.upload(image({ study: '14', patientId: 'RESEARCH-1', more: { '00120062': text('CS', 'YES') } }))
    await until('both are left out', 30_000, () => radiology.house.counts.get('anonymised-skipped') === 2)
    await radiology.calm()
    expect(await radiology.statements()).toHaveLength(1)
    expect(radiology.patients).toEqual(['PX-1'])
  }, 60_000)

  it('moves a study to the patient that it is corrected to', async () => {
    const study = await orthanc.upload(image({ study: '15', patientId: 'WRONG-1' }))
    await radiology.until('the study', all => all.length === 1)
    const { ParentPatient } = await orthanc.call('GET', `/studies/${study}`) as { ParentPatient: string }
    await orthanc.call('POST', `/patients/${ParentPatient}/modify`, { Replace: { PatientID: 'RIGHT-1' }, Keep: ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'], Force: true, KeepSource: false })
    const said = await radiology.until('both sayings', all => all.length === 3)
    expect(said.filter(s => s.status === 'withdrawn')).toHaveLength(1)
    expect(new Set(said.map(s => s.statementId)).size).toBe(1)
    expect(new Set(radiology.patients)).toEqual(new Set(['WRONG-1', 'RIGHT-1']))
  }, 60_000)

  it.each([
    ['ISO_IR 100', 'Größe-7', Buffer.from('Größe-7', 'latin1')],
    ['ISO_IR 192', '患者-7', Buffer.from('患者-7', 'utf8')],
    ['GB18030', '患者-7', Buffer.from([0xbb, 0xbc, 0xd5, 0xdf, 0x2d, 0x37])],
  ])('reads identifiers in the character set %s', async (charset, id, patientId) => {
    await orthanc.upload(image({ study: '16', patientId, more: { '00080005': text('CS', charset) } }))
    await radiology.until('the study', all => all.length === 1)
    expect(radiology.patients).toEqual([id])
  }, 60_000)

  it('gives identifiers the namespace of their issuer, and refuses those of a stranger until the mapping knows it', async () => {
    const mapping = { ...PLAIN_MAPPING, namespaces: new Map([['HOSP', ''], ['CLINIC', 'clinic']]) }
    await restart({ mapping }, { issuer: 'HOSP' })
    await orthanc.upload(image({ study: '17' }), image({ study: '18', more: { '00100021': text('LO', 'CLINIC') } }), image({ study: '19', more: { '00100021': text('LO', 'ELSEWHERE') } }))
    await radiology.until('two of them', async all => all.length === 2 && (await radiology.deadLetters()).length === 1)
    expect(new Set(radiology.patients)).toEqual(new Set(['PX-1', 'clinic|PX-1']))
    const [letter] = await radiology.deadLetters()
    expect(letter).toMatchObject({ cause: 'patient-missing', feed: 'pacs', source: 'dicom:orthanc' })
    await restart({ mapping: { ...mapping, namespaces: new Map([...mapping.namespaces, ['ELSEWHERE', 'far']]) } }, { issuer: 'HOSP' })
    expect(await radiology.feed.take(sealer.open(Buffer.from(letter!.raw)))).toMatchObject({ kind: 'taken', published: 1 })
    expect(radiology.patients).toContain('far|PX-1')
  }, 60_000)

  it.each([
    ['no patient', { '00100020': text('LO', '') }, 'patient-missing'], ['no date', { '00080020': text('DA', '') }, 'time-unparsable'], ['a date to come', { '00080020': text('DA', '20310507') }, 'time-in-future'],
    ['neither code nor modality', { '00080060': text('CS', '') }, 'code-unknown'],
  ])('refuses a study with %s, and goes on', async (_, more, cause) => {
    await orthanc.upload(image({ study: '20', patientId: 'PX-2', more }))
    await until('the dead letter', 30_000, async () => (await radiology.deadLetters()).length === 1)
    await orthanc.upload(image({ study: '21' }))
    await radiology.until('the next study', all => all.length === 1)
    expect((await radiology.deadLetters()).map(l => l.cause)).toEqual([cause])
  }, 60_000)

  it('waits where the password is wrong, and says so', async () => {
    await restart({}, { username: 'nobody' })
    await until('waiting', 30_000, () => radiology.connector.health().why === 'Orthanc refuses the login')
    expect(radiology.connector.health().state).toBe('waiting')
  }, 60_000)
})
