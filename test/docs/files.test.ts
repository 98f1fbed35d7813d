import { afterAll, beforeAll, describe, it } from 'vitest'
import { GuideReader, guideSteps } from './guide.ts'

const steps = guideSteps('docs/connectors/files.md')

describe('a reader who follows the page of files from an import to a drop folder', () => {
  let reader: GuideReader
  beforeAll(async () => { reader = await GuideReader.open() })
  afterAll(async () => { await reader[Symbol.asyncDispose]() })
  let broken = false

  it.each(steps.map(step => [`${step.where} ${step.kind === 'file' ? `writes ${step.file}` : step.lines[0]!.slice(0, 60)}`, step] as const))('%s', async (_name, step) => {
    if (broken) throw new Error('a step before this one went wrong')
    broken = true
    await reader.follow(step)
    broken = false
  })
})
