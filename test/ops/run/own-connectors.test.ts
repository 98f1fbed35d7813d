import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { conformanceChecks } from '../../../connectors/conformance/index.ts'
import { loadHarness, newConnector, ownKinds } from '../../../ops/run/own-connectors/index.ts'
import { LatidoError } from '../../../streams/errors/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'

let directory: ReturnType<typeof tempDir>
let folder: string
beforeEach(() => { directory = tempDir(); folder = join(directory.path, 'feeds') })
afterEach(() => { directory.remove() })
const write = (file: string, text: string): void => { writeFileSync(join(folder, file), text) }

it('begins a connector that works under its name, and overwrites nothing', async () => {
  const files = newConnector('scale', folder)
  expect(files.map(file => file.slice(folder.length + 1))).toEqual(['scale.connector.ts', 'scale.harness.ts', 'scale.json', 'tsconfig.json', 'package.json'])
  expect(() => newConnector('scale', folder)).toThrow('scale.connector.ts is there already')
  expect(newConnector('pump', folder).map(file => file.slice(folder.length + 1))).toEqual(['pump.connector.ts', 'pump.harness.ts', 'pump.json'])
  expect((await ownKinds(folder)).map(({ kind }) => kind)).toEqual(['pump', 'scale'])
  const [first] = conformanceChecks(await loadHarness(join(folder, 'scale.harness.ts')))
  await first!.run()
})

it.each(['', 'Scale', '9scale', '../scale', 'a b'])('refuses the name "%s"', name => {
  expect(() => newConnector(name, folder)).toThrow(LatidoError)
})

it('never shadows a connector of the product, nor one of its own with another', async () => {
  expect(() => newConnector('hl7', folder, ['hl7'])).toThrow('Latido has a connector "hl7" already')
  newConnector('scale', folder)
  await expect(ownKinds(folder, ['scale'])).rejects.toMatchObject({ code: 'CONNECTOR_INVALID', message: 'scale.connector.ts: there is a connector of kind "scale" already' })
  write('twin.connector.ts', readFileSync(join(folder, 'scale.connector.ts'), 'utf8'))
  await expect(ownKinds(folder)).rejects.toMatchObject({ code: 'CONNECTOR_INVALID', message: 'twin.connector.ts: there is a connector of kind "scale" already' })
})

it('has no connectors where there is no folder', async () => { expect([await ownKinds(''), await ownKinds(folder)]).toEqual([[], []]) })

it('says file and line of a connector that cannot be read', async () => {
  newConnector('scale', folder)
  write('scale.connector.ts', 'export const connector = {\n  kind: \'scale\',\n  oops oops\n}\n')
  await expect(ownKinds(folder)).rejects.toMatchObject({ code: 'CONNECTOR_INVALID', message: expect.stringMatching(/scale\.connector\.ts, line 3: /) as string })
})

it.each([
  ['throws when it is loaded', 'throw new Error("no service")', /cannot be loaded: no service/],
  ['exports something else', 'export const connector = { kind: "scale" }', /does not export a connector/],
  ['imports what is not public', 'import { openIntake } from "latido/connectors/kit"\nexport const connector = openIntake', /"latido\/connectors\/kit" may not be imported/],
])('refuses a connector that %s', async (_, text, message) => {
  newConnector('scale', folder)
  write('scale.connector.ts', text)
  await expect(ownKinds(folder)).rejects.toMatchObject({ code: 'CONNECTOR_INVALID', message: expect.stringMatching(message) as string })
})

it('means the same errors as the product does', async () => {
  newConnector('scale', folder)
  write('scale.connector.ts', `${readFileSync(join(folder, 'scale.connector.ts'), 'utf8').replace('start: (', 'start: (...args) => { throw new LatidoError(\'SOURCE_UNAVAILABLE\', \'away\', \'wait\', args) },\n  other: (')}`)
  const [kind] = await ownKinds(folder)
  expect(() => kind!.start({} as never, {})).toThrow(LatidoError)
})

it('refuses a harness that is not there, or is none', async () => {
  newConnector('scale', folder)
  await expect(loadHarness(join(folder, 'other.harness.ts'))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await expect(loadHarness(join(folder, 'scale.connector.ts'))).rejects.toMatchObject({ code: 'CONNECTOR_INVALID' })
})
