export { EffectRunner, type EffectRunnerOptions, type Outcome } from './effect-runner.ts'
export { type JsonLoggerOptions, jsonLogger } from './json-logger.ts'
export { KeyedQueue, type KeyedQueueOptions } from './keyed-queue.ts'
export { type PassResult, type ReconcilerOptions, reconcile } from './reconciler.ts'
