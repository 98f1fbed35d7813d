/** Files and directories that are on the disk, whole, when the call returns. */
export { makeDirectory, makeFile, replaceFile, syncDirectory } from './durable.ts'
