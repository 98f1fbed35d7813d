/** The fraction of inspired oxygen in percent; what is above 1 was written in percent. */
export function percentOfInspiredOxygen (value: number): number { return value > 1 ? value : value * 100 }
