/** A progress bar on standard error: redrawn in place on a terminal, a line each tenth elsewhere. */
export function progressBar (label: string, out: NodeJS.WriteStream = process.stderr): (share: number) => void {
  let shown = -1
  return share => {
    const percent = Math.min(100, Math.floor(share * 100))
    const step = out.isTTY ? 1 : 10
    if (percent < shown + step && percent !== 100 || percent === shown) return
    shown = percent
    const filled = Math.round(percent / 4)
    out.write(`${out.isTTY ? '\r' : ''}${label} [${'#'.repeat(filled)}${'.'.repeat(25 - filled)}] ${percent} %${out.isTTY && percent < 100 ? '' : '\n'}`)
  }
}
