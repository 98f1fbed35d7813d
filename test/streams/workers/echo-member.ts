import type { RunningProcessor } from '../../../streams/engine/index.ts'

/** A member that has processed what it was told, and runs until it is stopped. */
export function open (options: unknown): Promise<RunningProcessor> {
  const { records = 0, refuse } = options as { readonly records?: number, readonly refuse?: string }
  if (refuse !== undefined) return Promise.reject(new Error(refuse))
  let stop = (): void => {}
  const stopped = new Promise<void>(resolve => { stop = resolve })
  return Promise.resolve({
    name: 'echo', input: 'nothing',
    statistics: { records, outputs: 0, refused: 0, keys: 0, commits: 0 },
    step: () => Promise.resolve(0),
    run: () => stopped,
    stop: () => { stop(); return Promise.resolve() },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
}
