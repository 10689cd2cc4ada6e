/** Explanation of a decision in another thread than the core. The core reads the facts (`explanation-facts.ts`). */
import { type DecisionToExplain, explainDecision } from '#access/past/explained-decision.ts';
import type { PastLookUp } from '#access/past/past-identity.ts';
import { FactNotKept } from '#access/past/past-request.ts';
import type { AccountId } from '#core/arn.ts';
import type { StoredRecord } from '#store/identity/identity.ts';
import type { PastKind } from '#store/identity/identity-history.ts';
import { changeOf, type Output, permissionsOf, summaryOf } from './explained-output.ts';

/** Question about stored facts: identity records, a resource-based policy by its hash, or the ARNs of unique IDs. All are as of the decision. */
export type Question =
  | { readonly lookUp: PastLookUp }
  | { readonly policyHash: string }
  | { readonly arnsOf: AccountId; readonly ids: readonly string[] };

/** Reply to a question. `notKept`: the version of identity is not kept any more, and why. */
export type Reply =
  | { readonly records: readonly StoredRecord<PastKind>[] }
  | { readonly text: string | undefined }
  | { readonly arns: ReadonlyMap<string, string> }
  | { readonly notKept: string };

/** Explained decision as the output has it, or the reason why there is none. */
export type Explanation = Omit<Output, 'record'> | { readonly none: string };

/** Explains a decision. @throws StepsExceeded  the explanation takes too many steps */
export async function run(job: DecisionToExplain, ask: (question: Question) => Promise<Reply>): Promise<Explanation> {
  const facts = factsOf(ask);
  try {
    const explained = await explainDecision(facts, job);
    const { permissions, documents } = await permissionsOf(explained, facts.arns);
    return {
      decision: explained.outcome.effect === 'Allow' ? 'ALLOWED' : 'DENIED',
      summary: summaryOf(explained),
      reproduced: explained.reproduced,
      permissions,
      documents,
      ...(explained.change !== undefined && { change: changeOf(explained.change, explained.caller) }),
    };
  } catch (error) {
    if (error instanceof FactNotKept || error instanceof RangeError) return { none: `The decision cannot be repeated: ${error.message}.` };
    throw error;
  }
}

/** Returns the facts that the core reads. */
function factsOf(ask: (question: Question) => Promise<Reply>) {
  async function asked<Name extends 'records' | 'text' | 'arns'>(
    name: Name,
    question: Question,
  ): Promise<Extract<Reply, Record<Name, unknown>>[Name]> {
    const reply = await ask(question);
    if ('notKept' in reply) throw new RangeError(reply.notKept);
    return (reply as Extract<Reply, Record<Name, unknown>>)[name];
  }
  return {
    records: (lookUp: PastLookUp) => asked('records', { lookUp }),
    policyText: (policyHash: string) => asked('text', { policyHash }),
    arns: (accountId: AccountId, ids: readonly string[]) => asked('arns', { arnsOf: accountId, ids }),
  };
}
