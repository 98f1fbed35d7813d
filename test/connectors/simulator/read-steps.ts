import { seededRandom, wardSteps } from '../../../connectors/simulator/index.ts'
import type { WardOptions, WardStep } from '../../../connectors/simulator/index.ts'

export const START_MS: number = Date.UTC(2031, 4, 6, 10, 0, 0)

/** All steps of a ward until so many real milliseconds after its start. */
export function stepsUntil (realMs: number, options: Partial<WardOptions> & { readonly seed?: number } = {}): WardStep[] {
  const steps: WardStep[] = []
  for (const step of wardSteps({ random: seededRandom(options.seed ?? 1), startMs: START_MS, patients: 12, speed: 1, scenario: 'ward', ...options })) {
    if (step.dueMs > START_MS + realMs) break
    steps.push(step)
  }
  return steps
}

export interface Result { readonly value: string, readonly status: string }
/** An HL7 message of the ward, read by position. */
export interface Message {
  readonly dueMs: number
  readonly controlId: string
  readonly type: string
  readonly patient: string
  readonly bed: string
  readonly takenAt: number
  readonly order: string
  readonly results: ReadonlyMap<string, Result>
}

export function messagesOf (steps: readonly WardStep[]): Message[] {
  return steps.flatMap(step => {
    if (step.kind !== 'hl7') return []
    const segments = step.text.split('\r').filter(line => line !== '').map(line => line.split('|'))
    const find = (name: string): string[] => segments.find(segment => segment[0] === name) ?? []
    return [{
      dueMs: step.dueMs, controlId: find('MSH')[9] ?? '', type: (find('MSH')[8] ?? '').split('^').slice(0, 2).join('^'), patient: (find('PID')[3] ?? '').split('^')[0] ?? '',
      bed: (find('PV1')[3] ?? '').split('^')[2] ?? '', takenAt: timeOf(find('OBR')[7] ?? find('EVN')[2] ?? ''), order: find('OBR')[3] ?? '',
      results: new Map(segments.filter(segment => segment[0] === 'OBX').map(segment => [(segment[3] ?? '').split('^')[0] ?? '', { value: (segment[5] ?? '').split('^')[0] ?? '', status: segment[11] ?? '' }])),
    }]
  })
}

function timeOf (text: string): number {
  const [, year, month, day, hour, minute, second] = (/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\+0000$/.exec(text) ?? []).map(Number)
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
}

export interface NumericsMessage { readonly dueMs: number, readonly device: string, readonly time: number, readonly seq: number, readonly numerics: readonly { readonly code: string, readonly value: number | null, readonly quality?: string }[] }

export function numericsOf (steps: readonly WardStep[]): NumericsMessage[] {
  return steps.flatMap(step => step.kind === 'numerics' ? [{ dueMs: step.dueMs, device: step.device, ...JSON.parse(step.payload) as Omit<NumericsMessage, 'dueMs' | 'device'> }] : [])
}

/** NEWS2 by the table of the Royal College of Physicians (2017), SpO2 scale 1, from a charted set. */
export function news2 (set: Message): number {
  const value = (code: string): number => Number(set.results.get(code)?.value)
  const band = (x: number, ...limits: readonly (readonly [max: number, points: number])[]): number => limits.find(([max]) => x <= max)?.[1] ?? NaN
  return band(value('9279-1'), [8, 3], [11, 1], [20, 0], [24, 2], [Infinity, 3])
    + band(value('59408-5'), [91, 3], [93, 2], [95, 1], [100, 0])
    + (set.results.get('OXYGEN_THERAPY')?.value === 'Y' ? 2 : 0)
    + band(value('8480-6'), [90, 3], [100, 2], [110, 1], [219, 0], [Infinity, 3])
    + band(value('8867-4'), [40, 3], [50, 1], [90, 0], [110, 1], [130, 2], [Infinity, 3])
    + (set.results.get('67775-7')?.value === 'LA9340-6' ? 0 : 3)
    + band(value('8310-5'), [35, 3], [36, 1], [38, 0], [39, 1], [Infinity, 2])
}
