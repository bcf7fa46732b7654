export { jsonPatch } from './json-patch.ts'
export { isObject, own, put, sameJson } from './json-value.ts'
export { mergePatch } from './merge-patch.ts'
export { strategicMergePatch } from './strategic-merge.ts'
