import type { InboundMessage } from '../kit/index.ts'

/** How many messages are on the log that should be, of whom, and which came twice. Patients and times are the harness's own inventions. */
export function told (published: readonly InboundMessage[], expected: number): string {
  const ofPatient = new Map<string, number>(), times = new Map<string, number>()
  for (const message of published) {
    const patient = String(message.patient.id)
    ofPatient.set(patient, (ofPatient.get(patient) ?? 0) + 1)
    const key = `${patient} of ${new Date(eventTimeOf(message)).toISOString()}`
    times.set(key, (times.get(key) ?? 0) + 1)
  }
  const twice = [...times].filter(([, n]) => n > 1).map(([key]) => key)
  const have = published.length < expected ? `${expected - published.length} of ${expected} messages are lost` : `${published.length} messages are on the log, of ${expected} that were offered`
  return `${have}; there are ${[...ofPatient].map(([patient, n]) => `${n} of ${patient}`).join(', ') || 'none'}${twice.length === 0 ? '' : `; more than once: ${twice.join(', ')}`}`
}

export function eventTimeOf ({ event }: InboundMessage): number { return event.type === 'observations' ? event.observations[0]?.eventTime ?? 0 : event.eventTime }
