/** This machine's own addresses: nothing leaves it on the way there. */
export function isLoopback (host: string): boolean { return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) }
