import { wantsHelp } from './help.ts';
import { policyDiff } from './policy-diff.ts';
import { policyTest } from './policy-test.ts';
import { policyValidate } from './policy-validate.ts';

const USAGE = `belfry policy test FILE …                         run policy tests (*.iamtest.json), described in docs/policy-tests.md
belfry policy validate [--type TYPE] FILE …       report errors, warnings and suggestions for policies
belfry policy diff [--trust] OLD NEW              compare the decisions of two versions of a policy, with example requests
`;

/** Runs `belfry policy …`, the commands that need no server. Resolves to the exit status. */
export async function policyCommand(args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...rest] = args;
  const run = command === 'test' ? policyTest : command === 'validate' ? policyValidate : command === 'diff' ? policyDiff : undefined;
  const status = run?.(rest) ?? 2;
  if (status === 2) console.error(USAGE);
  return status;
}
