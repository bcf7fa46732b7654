/** What a function of a rule complains about; becomes the text of a cause. Without a stack: rules may fail in loops. */
export class RuleError extends Error {
  override readonly name = 'RuleError'

  constructor(message: string) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = limit
  }
}
