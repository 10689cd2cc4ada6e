/** `belfry policy replay`: decides recorded requests again as if policies had been changed, and lists the decisions that flip. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ProposalError, type ProposedChange, parseProposal, proposal } from '#access/past/proposal.ts';
import { type Flip, type ReplayCounts, replayWindow } from '#access/past/replay-window.ts';
import { type SuggestedTest, type Suggestion, suggestPolicy } from '#access/past/suggestion.ts';
import { type AccountId, isAccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import type { Sql } from '#store/sql.ts';
import { DATA, DATABASE, databaseOf, type Subcommand } from './command.ts';
import { printable } from './printable.ts';

/** Lines of `belfry policy --help` for this command. */
export const REPLAY_USAGE = `belfry policy replay --change FILE [--days N]     decide recorded requests again as if policies had been changed

  --change FILE     the proposed changes as JSON, described in docs/replay.md; without it, the policies as they were
  --days N          days before now whose requests are decided (default: 30)
  --account-id ID   only the records of this account
  --examples N      flipped requests that are printed for each caller and action (default: 3)
  --json            print the flipped requests as JSON lines
  --data FOLDER     the data folder of the server, which may run (default: BELFRY_DATA, or ./data)
  --database URL    the database, if it is not in the data folder (default: BELFRY_DATABASE)
  The exit status is 1 if a decision flips.
belfry policy suggest --principal ARN [--days N]   write the least policy that covers the recorded requests of a user or role

  --principal ARN   the user or role
  --out PREFIX      write PREFIX.json and its tests, PREFIX.iamtest.json (default: print the policy)`;

const CHANGE: Flag = { flag: '--change', valid: 'a file' };
const DAYS: Flag = { flag: '--days', valid: 'a number of days' };
const ACCOUNT: Flag = { flag: '--account-id', valid: 'the ID of an account' };
const EXAMPLES: Flag = { flag: '--examples', valid: 'a number' };
const JSON_LINES: Flag = { flag: '--json' };

const PRINCIPAL: Flag = { flag: '--principal', valid: 'the ARN of a user or role' };
const OUT: Flag = { flag: '--out', valid: 'a file without suffix' };

const DAY_MS = 24 * 60 * 60_000;

export const REPLAY: Subcommand = {
  flags: [CHANGE, DAYS, ACCOUNT, EXAMPLES, JSON_LINES, DATA, DATABASE],
  async run(parsed) {
    const changes = changesOf(parsed);
    const days = numberOf(parsed, DAYS, 30);
    const examples = numberOf(parsed, EXAMPLES, 3);
    const accountId = parsed.values.get(ACCOUNT.flag);
    if (accountId !== undefined && !isAccountId(accountId)) throw new FlagError(`${ACCOUNT.flag} must be ${ACCOUNT.valid}`);
    const database = await openReadOnly(databaseOf(parsed));
    try {
      const to = instant(Date.now());
      const window = { accountIds: accountId && new Set([accountId as AccountId]), from: (to - days * DAY_MS) as Instant, to };
      const printer = parsed.values.has(JSON_LINES.flag) ? jsonPrinter() : textPrinter(examples);
      const proposed = proposal(changes);
      const counts = await replayWindow(
        database.sql,
        await accountsIn(database.sql),
        { ...window, accountIds: window.accountIds || undefined },
        proposed,
        printer.flip,
      );
      const unmatched = counts.decided === 0 ? undefined : proposed.unmatched();
      if (unmatched !== undefined) throw new Error(`a change names what does not exist: ${JSON.stringify(unmatched)}`);
      printer.end(counts);
      return counts.flipped === 0 ? 0 : 1;
    } finally {
      await database.close();
    }
  },
};

export const SUGGEST: Subcommand = {
  flags: [PRINCIPAL, DAYS, OUT, DATA, DATABASE],
  async run(parsed) {
    const arn = requireFlag(parsed.values, PRINCIPAL);
    const days = numberOf(parsed, DAYS, 30);
    const database = await openReadOnly(databaseOf(parsed));
    try {
      const to = instant(Date.now());
      const window = { accountIds: undefined, from: (to - days * DAY_MS) as Instant, to };
      const suggestion = await suggestPolicy(database.sql, await accountsIn(database.sql), window, arn);
      if (suggestion === undefined) throw new Error(`no request of '${arn}' was allowed in the last ${days} days`);
      return written(suggestion, arn, days, parsed.values.get(OUT.flag));
    } finally {
      await database.close();
    }
  },
};

/** Writes or prints a suggestion. Returns the exit status: 1 if the policy denies a request of the window. */
function written({ policy, tests, requests, check, denied }: Suggestion, arn: string, days: number, out: string | undefined): number {
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

function changesOf({ values }: ParsedFlags): readonly ProposedChange[] {
  const file = values.get(CHANGE.flag);
  if (file === undefined) return [];
  try {
    return parseProposal(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof ProposalError || (error as NodeJS.ErrnoException).code !== undefined)
      throw new FlagError(`'${file}': ${(error as Error).message}`);
    throw error;
  }
}

function numberOf({ values }: ParsedFlags, { flag, valid }: Flag, otherwise: number): number {
  const text = values.get(flag);
  if (text === undefined) return otherwise;
  if (!/^[0-9]{1,5}$/.test(text)) throw new FlagError(`${flag} must be ${valid}`);
  return Number(text);
}

/** Returns the IDs of all accounts that exist or existed. */
export async function accountsIn(sql: Sql): Promise<readonly AccountId[]> {
  const rows = await sql.rows<{ readonly account_id: AccountId }>(
    "SELECT account_id FROM identity_document WHERE kind = 'account' ORDER BY account_id",
  );
  return rows.map(({ account_id }) => account_id);
}

/** Prints flips and counts. */
interface Printer {
  readonly flip: (flip: Flip) => void;
  readonly end: (counts: ReplayCounts) => void;
}

function jsonPrinter(): Printer {
  return {
    flip({ facts, principal, context, allowed }) {
      const { eventId, eventName, at, accountId } = facts;
      const permissions = context.permissions.map(({ action, resources }) => ({ action, resources }));
      console.log(
        JSON.stringify({
          eventId,
          eventTime: new Date(at).toISOString(),
          accountId,
          eventName,
          principalArn: principal.arn,
          allowed,
          permissions,
        }),
      );
    },
    end: ({ records, decided, flipped, unknown }) =>
      console.error(JSON.stringify({ records, decided, flipped, unknown: Object.fromEntries(unknown) })),
  };
}

/** Flips of one caller and action. */
interface Group {
  count: number;
  readonly examples: string[];
}

function textPrinter(examplesMax: number): Printer {
  const groups = new Map<string, Group>();
  return {
    flip({ facts, principal, context, allowed }) {
      const key = `${allowed ? 'denied → allowed' : 'allowed → denied'}  ${context.permissions[0]?.action ?? facts.eventName}  ${principal.arn}`;
      const group = groups.get(key) ?? { count: 0, examples: [] };
      groups.set(key, group);
      group.count++;
      const resource = context.permissions.flatMap(({ resources }) => resources)[0] ?? '*';
      if (group.examples.length < examplesMax) group.examples.push(`${new Date(facts.at).toISOString()} ${facts.eventId} on ${resource}`);
    },
    end({ records, decided, flipped, unknown }) {
      for (const [key, { count, examples }] of [...groups].sort(([, a], [, b]) => b.count - a.count)) {
        console.log(`${printable(key)}: ${count}`);
        for (const example of examples) console.log(`    ${printable(example)}`);
      }
      if (groups.size > 0) console.log("'belfry explain --event-id ID' explains one of these requests, whose ID is after its time");
      console.log(`${records} records, ${decided} decided again, ${flipped} ${flipped === 1 ? 'decision flips' : 'decisions flip'}`);
      for (const [reason, count] of unknown) console.log(`    ${count} not decided again: ${reason}`);
    },
  };
}
