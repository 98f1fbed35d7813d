import { readFeeds, type FeedDefaults, type LoadedFeeds } from '../config/index.ts'
import { connectorKinds } from '../run/index.ts'

/** The feeds of a folder and all that is wrong with them; nothing is opened for it. Throws FILE_UNREADABLE, CONNECTOR_INVALID. */
export async function feedsOf (folder: string, defaults: FeedDefaults): Promise<LoadedFeeds> { return readFeeds(folder, await connectorKinds(folder), defaults) }
