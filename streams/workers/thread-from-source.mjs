// The thread's entry in development: Node 20 does not apply `--import tsx` to a thread's own entry file.
import { register } from 'tsx/esm/api'

register()
await import('./thread.ts')
