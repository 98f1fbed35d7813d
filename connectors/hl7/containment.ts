import { plainWord } from './context.ts'
import type { Segment } from './segment.ts'

/**
 * The tree of a device message (IHE PCD TF-2, appendix B.8): OBX-4 is `MDS.VMD.channel.metric`, and a row whose last places are 0 is the head of
 * what stands below it. What a metric does not say itself (OBX-14 time, OBX-18 device) holds as its nearest head says.
 */
export class Containment {
  readonly #heads = new Map<string, Segment>()

  add (obx: Segment): void {
    const path = pathOf(obx)
    if (path.length < 4 || obx.said(11).toUpperCase() === 'X') this.#heads.set(path.join('.'), obx)
  }

  /** The row's heads, nearest first. */
  headsOf (obx: Segment): readonly Segment[] {
    const path = pathOf(obx)
    const heads: Segment[] = []
    for (let length = Math.min(path.length, 4) - 1; length > 0; length--) {
      const head = this.#heads.get(path.slice(0, length).join('.'))
      if (head !== undefined && head !== obx) heads.push(head)
    }
    return heads
  }

  /** OBX-18.1 (mostly an EUI-64) of the row or of its nearest head that has one, as a plain word; empty: none names a device. */
  deviceOf (obx: Segment): string { return plainWord([obx, ...this.headsOf(obx)].map(one => one.said(18, 1)).find(id => id !== '') ?? '') }
}

/** Without the zeros at the end: `1.5.0.0` is `1.5`. */
function pathOf (obx: Segment): readonly string[] {
  const path = obx.said(4).split('.').filter(part => part !== '')
  while (path.length > 0 && /^0+$/.test(path.at(-1) ?? '')) path.pop()
  return path
}
