import { describe, it } from 'vitest'
import { conformanceChecks } from '../../../connectors/conformance/index.ts'
import { harness } from '../../../connectors/template/harness.ts'

describe('the connector that "latido connector new" begins with', () => {
  for (const { name, run } of conformanceChecks(harness)) it(name, run, 240_000)
})
