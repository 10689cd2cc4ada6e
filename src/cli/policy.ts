import type { PolicyType } from '#policy/decision.ts';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import { runCommand, type Subcommand } from './command.ts';
import { policyDiff } from './policy-diff.ts';
import { REPLAY, REPLAY_USAGE } from './policy-replay.ts';
import { SUGGEST, SUGGEST_USAGE } from './policy-suggest.ts';
import { policyTest } from './policy-test.ts';
import { policyValidate } from './policy-validate.ts';

const USAGE = `belfry policy test FILE …                         run policy tests (*.iamtest.json), described in docs/policy-tests.md
belfry policy validate [--type TYPE] FILE …       report errors, warnings and suggestions for policies
belfry policy diff [--trust] OLD NEW              compare the decisions of two versions of a policy, with example requests

  --type TYPE   identity (default), boundary, session, service-control, resource or trust
  --trust       the policies are trust policies of roles

${REPLAY_USAGE}

${SUGGEST_USAGE}
`;

const TYPES: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];
const TYPE: Flag = { flag: '--type', valid: TYPES.join(', ') };
const TRUST: Flag = { flag: '--trust' };

/** Runs `belfry policy …`, the commands that need no running server. Resolves to the exit status. */
export function policyCommand(args: readonly string[]): Promise<number> {
  return runCommand('policy', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  replay: REPLAY,
  suggest: SUGGEST,
  test: { flags: [], operand: 'FILE …', run: (parsed) => policyTest(filesOf(parsed)) },
  validate: {
    flags: [TYPE],
    operand: 'FILE …',
    run(parsed) {
      const text = parsed.values.get(TYPE.flag) ?? 'identity';
      const type = TYPES.find((known) => known === text);
      if (type === undefined) throw new FlagError(`--type is '${text}'; it must be one of ${TYPE.valid}`);
      return policyValidate(filesOf(parsed), type);
    },
  },
  diff: {
    flags: [TRUST],
    operand: 'OLD NEW',
    run({ values, positionals }) {
      const [oldFile, newFile, ...others] = positionals;
      if (oldFile === undefined || newFile === undefined) throw new FlagError('missing files: OLD and NEW');
      if (others.length > 0) throw new FlagError(`unexpected argument '${others[0]}'; the files are OLD and NEW`);
      return policyDiff(oldFile, newFile, values.has(TRUST.flag) ? 'trust' : 'identity');
    },
  },
};

function filesOf({ positionals }: ParsedFlags): readonly string[] {
  if (positionals.length === 0) throw new FlagError('missing file: FILE …');
  return positionals;
}
