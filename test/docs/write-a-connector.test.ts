import { describe } from 'vitest'
import { followGuide } from './guide.ts'

describe('a reader who follows the guide from a source to readings on the log', () => { followGuide('docs/guides/write-a-connector.md') })
