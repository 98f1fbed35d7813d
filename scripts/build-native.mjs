// Compiles node-rdkafka for the `native` Kafka driver: about two minutes, with a C++ compiler, make, Python and Node's headers.
import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

// The flag lifts the denial of package.json for this one package, which was named; npm before 11.19 does not know it.
const { status } = spawnSync('npm', ['rebuild', 'node-rdkafka', '--dangerously-allow-all-scripts', '--foreground-scripts'], { cwd: dirname(dirname(fileURLToPath(import.meta.url))), stdio: 'inherit', shell: process.platform === 'win32' })
process.exit(status ?? 1)
