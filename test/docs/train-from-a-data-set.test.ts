import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithEngine } from '../features/offline/clickhouse/kit.ts'
import { pythonTrain, requireServer } from '../kit/servers/index.ts'
import { GuideReader, type GuideStep } from './guide.ts'

type Lines = Extract<GuideStep, { kind: 'lines' }>
const EXAMPLE = 'docs/examples/train_from_a_data_set.py'
const FOLDER = '.latido/lake/datasets/pressure/1'
const describeTraining: typeof describe.skip = await requireServer('pythonTrain') ? describeWithEngine : describe.skip

describeTraining('the notebook that trains on a data set and scores online', () => {
  let reader: GuideReader
  let python: string
  beforeAll(async () => { python = await pythonTrain(); reader = await GuideReader.open() }, 300_000)
  afterAll(async () => { await reader[Symbol.asyncDispose]() })
  const does = (latido: Lines['latido'], line: string, ...says: readonly string[]): Promise<void> => reader.follow({ kind: 'lines', where: line, latido, fails: false, lines: [line], says })
  const train = (): { readonly status: number | null, readonly stdout: string, readonly stderr: string } => spawnSync(python, [EXAMPLE, FOLDER, reader.url], { cwd: reader.path, encoding: 'utf8', timeout: 120_000, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })

  it('gets labels from a ward and builds a data set of them', async () => {
    await does('starting', 'npx latido start --patients 24 --speed 60', 'latido: ready in ...')
    await does('running', 'curl -s "http://127.0.0.1:8080/api/features/online/$(curl -s http://127.0.0.1:8080/api/patients | node -p \'JSON.parse(require("fs").readFileSync(0))[23].patient\')?features=vitals:meanPressureLast"', '..."present":true,...')
    await does('running', 'python3 docs/examples/make_labels.py labels.csv --seconds 15', 'labels.csv: ... labels of ... patients, low is below ...')
    await does('stopped', 'npx latido dataset build pressure --labels labels.csv --views vitals', 'latido: pressure@1 built: ... rows, ... columns, 1 file')
  })

  it('finds the file as its manifest says, the numbers as they were served, and scores a patient by the same names online', async () => {
    await does('starting', 'npx latido start --patients 24 --speed 60', 'latido: ready in ...')
    const { stdout, stderr, status } = train()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [head = '', agreement = '', auroc = '', score = ''] = stdout.split('\n')
    expect(head).toMatch(/^pressure@1: \d+ rows of \d+ patients, \d+ features, every file as in the manifest$/)
    expect(Number(/^(\d+) answers of the API are of the vector that the data set has; 0 of them differ$/.exec(agreement)?.[1])).toBeGreaterThan(24)
    expect(Number(/^AUROC (0\.\d+|1\.000), four folds by patient; chance is 0\.5$/.exec(auroc)?.[1])).toBeGreaterThan(0.6)
    expect(score).toMatch(/^patient \S+ scores [01]\.\d+ now, from [1-9]\d* of \d+ features$/)
  })

  it('goes no further with a file that is not the one of the manifest', () => {
    appendFileSync(join(reader.path, FOLDER, 'part-00000.parquet'), 'x')
    expect(train()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('part-00000.parquet is not the file of the manifest') as string })
  })
})
