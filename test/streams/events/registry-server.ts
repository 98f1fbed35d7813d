/** The Confluent API of a running registry, from LATIDO_TEST_REGISTRY; undefined, with one loud line, where there is none. */
export async function registryUrl (): Promise<string | undefined> {
  const url = process.env['LATIDO_TEST_REGISTRY']
  if (url !== undefined && (await fetch(`${url}/subjects`).catch(() => undefined))?.ok === true) return url
  process.stderr.write('LEFT OUT: tests against a real schema registry\n')
  return undefined
}
