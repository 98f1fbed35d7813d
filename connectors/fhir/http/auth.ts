/** What authorises requests. */
export interface Authorizer {
  /** The value of the Authorization header, renewed where it is due; undefined: none. */
  header (): Promise<string | undefined>
  /** The server answered 401 to this value: the next one is another. False: there is no other. */
  reject (used: string): boolean
}

/** For open servers. */
export const noAuth: Authorizer = { header: () => Promise.resolve(undefined), reject: () => false }

/** User and password, for test servers (RFC 7617). */
export function basicAuth (user: string, password: string): Authorizer { return fixed(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`) }

/** A token that somebody else renews, for test servers (RFC 6750). */
export function bearerAuth (token: string): Authorizer { return fixed(`Bearer ${token}`) }

function fixed (value: string): Authorizer { return { header: () => Promise.resolve(value), reject: () => false } }
