/** What the API says of itself; as in package.json. */
export const VERSION: string = '0.4.0'
