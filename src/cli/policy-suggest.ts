/** `belfry policy suggest`: writes the least policy that covers the recorded requests of a user or role. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type SuggestedTest, type Suggestion, suggestPolicy } from '#access/past/suggestion.ts';
import { type Flag, requireFlag } from '#server/flags.ts';
import { DATA, DATABASE, type Subcommand } from './command.ts';
import { accountsIn, DAYS, daysOf, lastDays } from './policy-window.ts';
import { readDatabase } from './read-database.ts';

/** Lines of `belfry policy --help` for this command. */
export const SUGGEST_USAGE = `belfry policy suggest --principal ARN [--days N]   write the least policy that covers the recorded requests of a user or role

  --principal ARN   the user or role
  --out PREFIX      write PREFIX.json and its tests, PREFIX.iamtest.json (default: print the policy)`;

const PRINCIPAL: Flag = { flag: '--principal', valid: 'the ARN of a user or role' };
const OUT: Flag = { flag: '--out', valid: 'a file without suffix' };

export const SUGGEST: Subcommand = {
  flags: [PRINCIPAL, DAYS, OUT, DATA, DATABASE],
  async run(parsed) {
    const arn = requireFlag(parsed.values, PRINCIPAL);
    const days = daysOf(parsed);
    const suggestion = await readDatabase(parsed, async ({ sql }) => suggestPolicy(sql, await accountsIn(sql), lastDays(days), arn), {
      mapped: true,
    });
    if (suggestion === undefined) throw new Error(`no request of '${arn}' was allowed in the last ${days} days`);
    return written(suggestion, arn, days, parsed.values.get(OUT.flag));
  },
};

/** Writes or prints a suggestion. Returns the exit status: 1 if the policy denies a request of the window. */
function written(suggestion: Suggestion, arn: string, days: number, out: string | undefined): number {
  const { policy, tests, requests, forbidden, conditionKeys, check, denied } = suggestion;
  const text = `${JSON.stringify(policy, null, 2)}\n`;
  if (out === undefined) process.stdout.write(text);
  else {
    writeFileSync(`${out}.json`, text);
    writeFileSync(`${out}.iamtest.json`, `${JSON.stringify(testFileOf(basename(out), arn, days, tests), null, 2)}\n`);
    console.log(`wrote ${out}.json and ${out}.iamtest.json with ${tests.length} tests`);
  }
  console.error(
    `belfry policy: covers ${requests} requests; ${check.decided} decided again, of which it denies ${denied.length} that were allowed`,
  );
  if (forbidden > 0) console.error(`belfry policy: keeps a Deny of today, which forbids ${forbidden} other requests that were allowed`);
  if (conditionKeys.length > 0)
    console.error(`belfry policy: statements of today allow only under conditions, which the policy lacks: ${conditionKeys.join(', ')}`);
  for (const eventId of denied.slice(0, 10)) console.error(`    ${eventId}`);
  return denied.length === 0 ? 0 : 1;
}

/** Returns a policy test (docs/policy-tests.md) of a suggested policy. */
function testFileOf(name: string, arn: string, days: number, tests: readonly SuggestedTest[]): object {
  return {
    title: `Requests of ${arn} in ${days} days`,
    policies: { suggested: `${name}.json` },
    principals: { caller: { arn, identity: ['suggested'] } },
    requests: tests.map(({ action, resource, context }) => ({
      title: `${action} on ${resource}`,
      ...{ principal: 'caller', action, resource, context: Object.fromEntries(context), expect: 'Allow' },
    })),
  };
}
