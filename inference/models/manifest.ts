import { z } from 'zod'

/** The training distribution of one feature, frozen for the drift monitor: `shares` of the rows that have it, one bin more than edges. */
export interface ReferenceFeature { readonly name: string, readonly edges: readonly number[], readonly shares: readonly number[], readonly missingShare: number }

/** What a threshold costs and brings, measured out of fold. */
export interface OperatingPoint { readonly name: string, readonly threshold: number, readonly alertsPerPatientDay: number, readonly sensitivity: number, readonly ppv: number, readonly medianLeadHours: number | null }

export interface ModelManifest {
  readonly name: string
  readonly version: string
  readonly view: string
  readonly viewVersion: number
  /** The event whose probability it says. */
  readonly predicts: string
  /** Names in the order of the view's vector. */
  readonly features: readonly string[]
  readonly files: Readonly<Record<string, { readonly bytes: number, readonly sha256: string }>>
  /** Piecewise linear from the raw score to a probability. */
  readonly calibration: { readonly x: readonly number[], readonly y: readonly number[] }
  /** Alerts at or above this calibrated probability. */
  readonly threshold: number
  readonly operatingPoints: readonly OperatingPoint[]
  readonly reference: { readonly rows: number, readonly stays: number, readonly features: readonly ReferenceFeature[] }
  readonly metrics: Readonly<Record<string, unknown>>
  readonly training: Readonly<Record<string, unknown>>
}

const share = z.number().min(0).max(1)
const rising = (values: readonly number[]): boolean => values.every((v, i) => i === 0 || v > (values[i - 1] as number))

const file = z.object({ bytes: z.number().int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })

const referenceFeature = z.object({ name: z.string(), edges: z.array(z.number()).refine(rising, 'edges must rise'), shares: z.array(share), missingShare: share })
  .refine(f => f.shares.length === f.edges.length + 1, 'there must be one share more than edges')

const operatingPoint = z.looseObject({ name: z.string(), threshold: share, alertsPerPatientDay: z.number(), sensitivity: share, ppv: share, medianLeadHours: z.number().nullable() })

/** `manifest.json` of a model folder; training writes it (inference/training/package.py). */
export const manifestSchema: z.ZodType<ModelManifest> = z.object({
  name: z.string().regex(/^[a-z][a-zA-Z0-9-]*$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  view: z.string(),
  viewVersion: z.number().int().positive(),
  predicts: z.string(),
  features: z.array(z.string()).min(1),
  files: z.object({ 'model.onnx': file, 'trees.json': file }).catchall(file),
  calibration: z.object({ x: z.array(share).min(2).refine(rising, 'x must rise'), y: z.array(share).min(2) }).refine(c => c.x.length === c.y.length, 'x and y differ in length'),
  threshold: share,
  operatingPoints: z.array(operatingPoint),
  reference: z.object({ rows: z.number().int().positive(), stays: z.number().int().positive(), features: z.array(referenceFeature) }),
  metrics: z.record(z.string(), z.unknown()),
  training: z.record(z.string(), z.unknown()),
}).refine(m => m.reference.features.length === m.features.length && m.reference.features.every((f, i) => f.name === m.features[i]), 'the reference must have the features, in their order')
