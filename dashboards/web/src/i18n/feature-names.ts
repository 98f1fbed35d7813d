import { isMessageKey, translateName, type Translate } from './translate.ts'

/** The seven parts of NEWS2 (RCP 2017), the names that features and scores give them, and the concept that each rests on. */
export const NEWS2_PARTS = [
  { part: 'respiration', concept: 'respiratoryRate', names: ['respiration', 'respiratoryRate', 'resp'] },
  { part: 'spo2', concept: 'spo2', names: ['spo2', 'saturation', 'oxygenSaturation'] },
  { part: 'oxygen', concept: 'oxygenTherapy', names: ['oxygen', 'oxygenTherapy', 'supplementalOxygen', 'airOrOxygen', 'air'] },
  { part: 'systolic', concept: 'systolic', names: ['systolic', 'systolicPressure', 'bloodPressure', 'pressure'] },
  { part: 'pulse', concept: 'heartRate', names: ['pulse', 'heartRate'] },
  { part: 'consciousness', concept: 'consciousness', names: ['consciousness', 'acvpu'] },
  { part: 'temperature', concept: 'temperature', names: ['temperature'] },
] as const
export type News2Part = (typeof NEWS2_PARTS)[number]['part']

/** `news2Respiration`, `respiration`, `respiratoryRate` are all `respiration`. */
export function news2PartOf (name: string): News2Part | undefined {
  const bare = lowerFirst(name.replace(/^news2/i, '').replace(/(?:Points|Score)$/, ''))
  return NEWS2_PARTS.find(({ names }) => (names as readonly string[]).includes(bare))?.part
}

/** `news2Pulse` for the points of `pulse`, `news2PulseValue` for what was measured: as the NEWS2 view names its features. */
export function news2Feature (part: News2Part, what: 'points' | 'value'): string { return `news2${part.charAt(0).toUpperCase()}${part.slice(1)}${what === 'value' ? 'Value' : ''}` }

/** A part's name in the reader's language; an unknown one as it stands. */
export function partName (t: Translate, name: string): string {
  const part = news2PartOf(name)
  return part === undefined ? featureName(t, name) : t(`part.${part}`)
}

/**
 * A feature's name for people: from the dictionary, as a part of NEWS2, or taken apart into concept, aggregate and window
 * (`heartRateMean5m`: "Heart rate, mean 5 m"); what fits none of these is split at its capitals.
 */
export function featureName (t: Translate, name: string): string { return knownFeatureName(t, name) ?? spaced(name) }

/** As `featureName`; undefined for a name that fits nothing. */
export function knownFeatureName (t: Translate, name: string): string | undefined {
  if (isMessageKey(`feature.${name}`)) return translateName(t, 'feature', name)
  if (isMessageKey(`concept.${name}`)) return translateName(t, 'concept', name)
  const part = /^news2./.test(name) ? news2PartOf(name.replace(/Value$/, '')) : undefined
  if (part !== undefined) return t(name.endsWith('Value') ? 'feature.partValue' : 'feature.partPoints', { part: t(`part.${part}`).toLowerCase() })
  return takenApart(t, name)
}

function takenApart (t: Translate, name: string): string | undefined {
  const match = /^([a-z]\w*?)(Last|First|Mean|Min|Max|Sum|Count|Slope|Delta|Range|Variance|Sd|Std|Age|Missing|Median|Deviation|Dev|Total)(?:(\d+)([smhd]))?$/.exec(name)
  const [, subject, aggregate, count, unit] = match ?? []
  if (subject === undefined || aggregate === undefined) return undefined
  const what = isMessageKey(`concept.${subject}`) ? translateName(t, 'concept', subject) : isMessageKey(`feature.${subject}`) ? translateName(t, 'feature', subject) : spaced(subject)
  return `${what}, ${translateName(t, 'aggregate', aggregate.toLowerCase())}${count === undefined ? '' : ` ${count} ${unit === 'm' ? 'min' : unit}`}`
}

function spaced (name: string): string {
  const words = name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').replace(/[_-]+/g, ' ').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function lowerFirst (text: string): string { return text.charAt(0).toLowerCase() + text.slice(1) }
