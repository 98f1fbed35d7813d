import { z } from 'zod'

/** One option: its variable, what holds where nothing is said, and what it means. */
export interface Option { readonly env: string, readonly fallback: string, readonly help: string }

/** An http or https address, or nothing. A password in it would stand in process lists and logs. */
export const webAddress: z.ZodType<string> = z.string().refine(text => text === '' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).username === ''), 'not an http or https address without a password')
