import { featureDocument } from './document.ts'
import { pythonClient } from './python.ts'
import { typescriptClient } from './typescript.ts'

/** The clients, by path in the repository. The same document gives the same bytes. */
export async function generated (): Promise<Readonly<Record<string, string>>> {
  const document = await featureDocument()
  return { 'clients/typescript/latido-client.ts': typescriptClient(document), 'clients/python/latido_client.py': pythonClient(document) }
}
