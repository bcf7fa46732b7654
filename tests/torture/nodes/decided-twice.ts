/** I8: equal inputs give equal decisions, in whatever order the API tells them, and nobody writes into what was seen. */
import { isDeepStrictEqual } from 'node:util'
import { decideSet, type SetFacts, type SetPlan } from '@godwit/nodes'

/** Decides, and tells `report` when the same facts, told in another order, lead to something else. */
export function decidedTwice(facts: SetFacts, report: (what: string) => void): SetPlan {
  const before = JSON.stringify([facts.set, facts.pods, facts.hibernations, facts.nodes])
  const plan = decideOrThrow(facts)
  const again = decideOrThrow({
    ...facts,
    pods: [...facts.pods].reverse(),
    hibernations: [...facts.hibernations].reverse(),
    nodes: [...facts.nodes].reverse(),
    podsOn: name => [...facts.podsOn(name)].reverse(),
    tags: new Map([...facts.tags].reverse()),
  })
  if (JSON.stringify([facts.set, facts.pods, facts.hibernations, facts.nodes]) !== before)
    report('a decision wrote into what it was shown')
  if (!isDeepStrictEqual(plan, again))
    report(`the same facts in another order lead to ${summary(again)} instead of ${summary(plan)}`)
  if (plan instanceof Error) throw plan
  return plan
}

/** A refusal is a decision too. */
function decideOrThrow(facts: SetFacts): SetPlan | Error {
  try {
    return decideSet(facts)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function summary(plan: SetPlan | Error): string {
  if (plan instanceof Error) return String(plan)
  const { effects, status, annotations, needs, events, afterMs } = plan
  const acts = effects.map(effect => ('pod' in effect ? `${effect.kind} ${effect.pod.metadata.name}` : effect.kind))
  const { phase, migrations } = status
  return JSON.stringify({ acts, phase, migrations, annotations, needs, events, afterMs })
}
