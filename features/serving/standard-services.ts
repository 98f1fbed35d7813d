import type { FeatureService } from './catalogue.ts'

/** What is read together by one name. Inputs of a model name the version that it was trained on. */
export const STANDARD_SERVICES: readonly FeatureService[] = [
  { name: 'bedside', description: 'What a nurse watches: numerics and the early warning score', features: ['vitals', 'news2'] },
  { name: 'sepsisInputs', description: 'What the sepsis model reads', features: ['sepsis@1'] },
  { name: 'shock', description: 'Signs of shock: pressure, heart rate and lactate', features: ['vitals:heartRateMean5m', 'vitals:systolicMean5m', 'vitals:shockIndex', 'labs:lactateLast'] },
]
