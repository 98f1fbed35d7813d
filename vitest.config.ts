import { defineConfig } from 'vitest/config'

/** Ends what hangs, and nothing else: no test depends on speed, so nothing here is near what a slow machine takes. */
const PATIENCE_MS = 300_000

export default defineConfig({
  test: { globalSetup: ['test/kit/servers/global-setup.ts'], include: ['test/**/*.test.ts'], pool: 'forks', testTimeout: PATIENCE_MS, hookTimeout: PATIENCE_MS, expect: { poll: { timeout: 60_000 } }, maxWorkers: 2 },
})
