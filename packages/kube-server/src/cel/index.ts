export { type CompiledRule, type RuleNode, RuleTree } from './rule-tree.ts'
