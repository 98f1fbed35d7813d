/** The feeds of this instance: started, looked at again, mapped from the page. */
export { RunningFeeds } from './running-feeds.ts'
export type { RunningFeedsParts } from './running-feeds.ts'
export { RunningFeed } from './running-feed.ts'
