import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { globalSetup: ['test/kit/servers/global-setup.ts'], include: ['test/**/*.test.ts'], pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000, maxWorkers: 2 },
})
