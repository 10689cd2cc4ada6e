/** `belfry policy suggest`: writes the least policy that covers the recorded requests of a user or role. */
import { rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type SuggestedTest, type Suggestion, suggestPolicy } from '#access/past/suggestion.ts';
import { parseArn } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import { POLICY_QUOTAS, policySize } from '#policy/validate/policy-size.ts';
import { type Flag, FlagError, requireFlag } from '#server/flags.ts';
import { DATA, DATABASE, type Subcommand } from './command.ts';
import { accountsIn, DAYS, daysOf, lastDays } from './policy-window.ts';
import { readDatabase } from './read-database.ts';

/** Lines of `belfry policy --help` for this command. */
export const SUGGEST_USAGE = `belfry policy suggest --principal ARN [--days N]   write the least policy that covers the recorded requests of a user or role

  --principal ARN   the user or role
  --out PREFIX      write PREFIX.json and its tests, PREFIX.iamtest.json (default: print the policy)
  --any-id          a wildcard in place of each generated ID, so that the policy also allows new meetings and channels
  --days, --data, --database   as for 'belfry policy replay'
  The exit status is 1 if the policy denies a request of the window that was allowed, or may deny one.`;

const PRINCIPAL: Flag = { flag: '--principal', valid: 'the ARN of a user or role' };
const ANY_ID: Flag = { flag: '--any-id' };
const OUT: Flag = { flag: '--out', valid: 'a file without suffix' };

export const SUGGEST: Subcommand = {
  flags: [PRINCIPAL, DAYS, OUT, ANY_ID, DATA, DATABASE],
  async run(parsed) {
    const arn = requireFlag(parsed.values, PRINCIPAL);
    const resource = parseArn(arn)?.resource ?? '';
    if (!resource.startsWith('user/') && !resource.startsWith('role/'))
      throw new FlagError(
        `--principal is '${arn}'; it must be ${PRINCIPAL.valid}. For a session, name its role: arn:aws:iam::ACCOUNT:role/NAME`,
      );
    const days = daysOf(parsed);
    const anyId = parsed.values.has(ANY_ID.flag);
    const suggestion = await readDatabase(parsed, async ({ sql }) => suggestPolicy(sql, await accountsIn(sql), lastDays(days), arn, anyId));
    if (suggestion === undefined)
      throw new Error(
        `no recorded request of '${arn}' that requires a permission was allowed in the last ${counted(days, 'day')}; uses of a role by services are not recorded with their resources`,
      );
    return written(suggestion, arn, days, parsed.values.get(OUT.flag));
  },
};

/** Writes or prints a suggestion. Returns the exit status: 1 if the policy denies a request of the window, or may deny one. */
function written(suggestion: Suggestion, arn: string, days: number, out: string | undefined): number {
  const { policy, tests, requests, forbidden, uncovered, unrecorded, generatedIds, widened, exists, conditionKeys, check, denied } =
    suggestion;
  const text = `${JSON.stringify(policy, null, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else {
    writeFileSync(`${out}.json`, text);
    if (tests.length === 0) {
      rmSync(`${out}.iamtest.json`, { force: true });
      console.log(`wrote ${out}.json, and no test, because no recorded request can be one`);
    } else {
      writeFileSync(`${out}.iamtest.json`, `${JSON.stringify(testFileOf(basename(out), arn, days, tests), null, 2)}\n`);
      console.log(`wrote ${out}.json and ${out}.iamtest.json with ${counted(tests.length, 'test')}`);
    }
  }
  console.error(
    `belfry policy: covers ${counted(requests, 'request')}; ${check.decided} decided again, of which it denies ${denied.length} that were allowed`,
  );
  if (generatedIds > 0)
    console.error(
      `belfry policy: lists ${counted(generatedIds, 'resource')} by a generated ID, so it denies requests on new ones; --any-id has a wildcard in place of such IDs`,
    );
  if (widened.length > 0) {
    console.error('belfry policy: has a wildcard in place of many resources, which also allows others:');
    for (const resource of widened.slice(0, 10)) console.error(`    ${resource}`);
  }
  const size = policySize(JSON.stringify(policy));
  if (size > POLICY_QUOTAS.managed.characters)
    console.error(
      `belfry policy: has ${size} characters; a managed policy can have ${POLICY_QUOTAS.managed.characters}, so divide its statements among several policies`,
    );
  if (!exists) console.error(`belfry policy: '${arn}' does not exist now, so no Deny of its policies is kept`);
  if (forbidden > 0)
    console.error(
      `belfry policy: keeps a Deny of today, which forbids ${counted(forbidden, 'other request')} that ${forbidden === 1 ? 'was' : 'were'} allowed`,
    );
  if (conditionKeys.length > 0)
    console.error(`belfry policy: statements of today allow only under conditions, which the policy lacks: ${conditionKeys.join(', ')}`);
  for (const eventId of denied.slice(0, 10)) console.error(`    ${eventId}`);
  if (unrecorded.length > 0) {
    const [were, them] =
      unrecorded.length === 1 ? ['was used, and no record has its', 'it'] : ['were used, and no record has their', 'them'];
    console.error(
      `belfry policy: ${counted(unrecorded.length, 'other action')} ${were} resources, so the policy lacks ${them}: ${unrecorded.join(', ')}`,
    );
  }
  if (uncovered.length > 0)
    console.error(
      `belfry policy: ${counted(uncovered.length, 'other request')} ${uncovered.length === 1 ? 'has' : 'have'} facts that are too large to be stored, so the policy may deny ${uncovered.length === 1 ? 'it' : 'them'}:`,
    );
  for (const eventId of uncovered.slice(0, 10)) console.error(`    ${eventId}`);
  return denied.length + uncovered.length + unrecorded.length === 0 ? 0 : 1;
}

/** Returns a policy test (docs/policy-tests.md) of a suggested policy. */
function testFileOf(name: string, arn: string, days: number, tests: readonly SuggestedTest[]): object {
  return {
    title: `Requests of ${arn} in ${counted(days, 'day')}`,
    policies: { suggested: `${name}.json` },
    principals: { caller: { arn, identity: ['suggested'] } },
    requests: tests.map(({ action, resource, context }) => ({
      title: `${action} on ${resource}`,
      ...{ principal: 'caller', action, resource, context: Object.fromEntries(context), expect: 'Allow' },
    })),
  };
}
