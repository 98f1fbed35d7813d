/** Data files as streams of historical messages, in order of arrival over all patients. */
/** PhysioNet/CinC Challenge 2019: hourly rows of ICU stays, .csv, .csv.gz or a folder of .psv. */
export { openPhysionet2019 } from './physionet2019/source.ts'
export type { Physionet2019Options } from './physionet2019/source.ts'
/** MIMIC-III or its demo: charted values arrive at storetime. */
export { openMimic3 } from './mimic3/source.ts'
export type { Mimic3Options } from './mimic3/source.ts'
/** What both answer, and the options that both take. */
export type { HistoricalMessage, HistoricalSource, ReadOptions } from './port.ts'
