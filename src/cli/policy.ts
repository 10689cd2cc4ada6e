import { policyDiff } from './policy-diff.ts';
import { policyTest } from './policy-test.ts';
import { policyValidate } from './policy-validate.ts';

const USAGE = `belfry policy test FILE …                         run policy tests (*.iamtest.json), described in docs/policy-tests.md
belfry policy validate [--type TYPE] FILE …       what is wrong with a policy, or could be better
belfry policy diff [--trust] OLD NEW              what two versions of a policy decide differently, each with a request that shows it
`;

/** `belfry policy …`: what can be asked of policies without a server. Resolves to the exit status. */
export async function policyCommand(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  const run = command === 'test' ? policyTest : command === 'validate' ? policyValidate : command === 'diff' ? policyDiff : undefined;
  const status = run?.(rest) ?? 2;
  if (status === 2) console.error(USAGE);
  return status;
}
