/** The JSON that bytes are; undefined where they are none. JSON has no undefined, so that says it. */
export function jsonOf (raw: Buffer): unknown {
  try { return JSON.parse(raw.toString('utf8')) } catch { return undefined }
}
