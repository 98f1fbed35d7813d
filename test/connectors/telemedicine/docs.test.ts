import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { REFUSALS } from '../../../connectors/telemedicine/refusals.ts'
import { telemedicineOptions } from '../../../connectors/telemedicine/index.ts'
import { orthancOptions } from '../../../connectors/dicom/index.ts'
import { ManualClock, systemClock } from '../../../streams/time/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { Clinic } from './support.ts'

const page = (name: string): string => readFileSync(new URL(`../../../docs/connectors/${name}.md`, import.meta.url), 'utf8')
const blocks = (text: string, language: string): readonly string[] => [...text.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map(match => match[1]!)
const optionsIn = (block: string): unknown => (JSON.parse(block) as { options: unknown }).options

it('the page\'s feed, tokens and request work as they are written', async () => {
  const directory = tempDir()
  const [feed, tokens, answer, oauth] = blocks(page('telemedicine'), 'json')
  const [curl] = blocks(page('telemedicine'), 'sh')
  writeFileSync(join(directory.path, 'tokens.json'), tokens!)
  const clinic = await Clinic.open(directory.path, new ManualClock(systemClock.now()), { ...optionsIn(feed!) as object, port: 0, tokensFile: join(directory.path, 'tokens.json') })
  const { stdout } = await promisify(execFile)('sh', ['-c', curl!.replace('http://127.0.0.1:2580', clinic.connector.endpoint)])
  expect(JSON.parse(stdout)).toEqual(JSON.parse(answer!))
  expect(telemedicineOptions.safeParse(optionsIn(oauth!)).success).toBe(true)
  await clinic.close()
  directory.remove()
})

it('the page has a row for each answer, with its status', () => {
  const rows = [...page('telemedicine').matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(match => [match[1], Number(match[2])])
  expect(rows).toEqual(Object.entries(REFUSALS).map(([code, [status]]) => [code, status]))
})

it.each([['telemedicine', telemedicineOptions], ['dicom', orthancOptions]] as const)('the page of %s names every option', (name, options) => {
  const text = page(name).split('## Options')[1] ?? ''
  for (const option of Object.keys((options as unknown as { shape: object }).shape)) expect(text).toContain(`\`${option}\``)
  if (name === 'dicom') expect(orthancOptions.safeParse(optionsIn(blocks(page('dicom'), 'json')[0]!)).success).toBe(true)
})
