/** Processors as users write them: `defineProcessor`, its topics, keys and outputs, and a test driver that needs no broker. */
export { defineProcessor } from './define-processor.ts'
export { avroTopic, fields, merged } from './definition.ts'
/** Two topics in one order, before they are joined. */
export { mergeTopics } from './merge-topics.ts'
export type { AvroTopic, Common, DefinedProcessor, JoinProcessor, KeyFields, MachineProcessor, MergedTopic, NumberField, TextField, WindowProcessor } from './definition.ts'
export type { AvroOutput, JsonOutput, Source, WindowOutput, WindowView } from './output.ts'
/** Where schemas have their ids from: a registry of the product, or fixed ones. */
export { fixedSchemas } from './schemas.ts'
export type { Schemas } from './schemas.ts'
/** Tests a processor without a log: records and time come by hand. */
export { testProcessor } from './test-processor.ts'
export type { Plain, TestedProcessor, TestOptions, Written } from './test-processor.ts'
