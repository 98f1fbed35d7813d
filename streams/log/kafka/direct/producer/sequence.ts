const SEQUENCES = 2 ** 31

/** After `count` records; wraps to 0 after 2^31 - 1 (KIP-98). */
export function sequenceAfter (sequence: number, count: number): number { return (sequence + count) % SEQUENCES }
