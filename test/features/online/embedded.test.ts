import { openEmbeddedOnlineStore } from '../../../features/online/index.ts'
import { tempDir } from '../../kit/temp-dir.ts'
import { onlineStoreContract } from './contract.ts'

onlineStoreContract({
  name: 'embedded in LMDB',
  prepare: () => {
    const directory = tempDir()
    return Promise.resolve({
      open: () => Promise.resolve(openEmbeddedOnlineStore(directory.path)),
      [Symbol.asyncDispose]: () => { directory.remove(); return Promise.resolve() },
    })
  },
})
