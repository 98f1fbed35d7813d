#!/usr/bin/env node
// The command: the built program if it is not older than its sources, else from source.
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { newestSource } from '../scripts/newest.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const builtMs = statSync(new URL('../dist/.built', import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
if (builtMs > 0 && newestSource(root) <= builtMs) {
  await import(new URL('../dist/ops/cli/main.js', import.meta.url).href)
} else {
  const { register } = await import('tsx/esm/api')
  register()
  await import(new URL('../ops/cli/main.ts', import.meta.url).href)
}
