import { statementHasAction, statementTest } from './compile.ts';
import type { CompiledPolicy, Contribution, Contributions, SourcedPolicy, StatementTest } from './compiled-policy.ts';
import type { LoweredStatement } from './lowered.ts';
import { addKeysOf } from './reads.ts';

/**
 * Maximum number of actions in the cache of one policy. If requests contain more action names, the cache is cleared.
 */
const REMEMBERED_MAX = 4096;

/** Returns the statements of a policy that apply to an action in lower case, or `undefined` if none applies. */
export function contributionOf(source: SourcedPolicy, action: string): Contribution | undefined {
  const contributions = (source.policy.contributions ??= { byAction: new Map(), byStatements: new Map() });
  const name = `${source.policyId}\n${source.policyArn ?? ''}\n`;
  const byAction = `${name}${action}`;
  const known = contributions.byAction.get(byAction);
  if (known !== undefined || contributions.byAction.has(byAction)) return known;
  if (contributions.byAction.size >= REMEMBERED_MAX) {
    contributions.byAction.clear();
    contributions.byStatements.clear();
  }
  const made = contribute(source, name, action, contributions);
  contributions.byAction.set(byAction, made);
  return made;
}

function contribute(source: SourcedPolicy, name: string, action: string, { byStatements }: Contributions): Contribution | undefined {
  const { policy } = source;
  const denyOf = applicableOf(policy, action, 'Deny');
  const allowOf = applicableOf(policy, action, 'Allow');
  if (denyOf.length === 0 && allowOf.length === 0) return undefined;
  const key = `${name}${denyOf.join()}/${allowOf.join()}`;
  const known = byStatements.get(key);
  if (known !== undefined) return known;
  const test = (statement: number): StatementTest => statementTest(policy, statement, true);
  const keys = new Set<string>();
  for (const statement of [...denyOf, ...allowOf]) addKeysOf(policy.lowered.statements[statement] as LoweredStatement, keys);
  const made: Contribution = {
    source,
    denies: denyOf.map((statement) => test(statement).test),
    denyOf,
    allows: allowOf.map((statement) => test(statement).test),
    allowOf,
    allowRoots: allowOf.map((statement) => test(statement).root),
    alwaysAt: allowOf.findIndex((statement) => test(statement).constant === true),
    keys: [...keys],
    next: undefined,
  };
  byStatements.set(key, made);
  return made;
}

/**
 * Returns the indexes of the statements that apply to an action. In an identity policy, a statement with a principal is
 * invalid. An Allow of this kind has no effect. A Deny of this kind applies to every principal.
 */
function applicableOf(policy: CompiledPolicy, action: string, effect: 'Allow' | 'Deny'): number[] {
  const found: number[] = [];
  policy.lowered.statements.forEach((statement, i) => {
    if (statement.effect !== effect || (effect === 'Allow' && statement.principals !== undefined)) return;
    if (statementHasAction(statement, action) && statementTest(policy, i, true).constant !== false) found.push(i);
  });
  return found;
}
