import { describe } from 'vitest'
import { followGuide } from './guide.ts'

describe('a reader who follows the guide from an unknown code to its value on the log', () => { followGuide('docs/guides/errors-and-dead-letters.md') })
