import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConceptId } from '../../../streams/events/index.ts'
import { toCanonical } from '../../../streams/events/index.ts'
