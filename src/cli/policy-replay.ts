/** `belfry policy replay`: decides recorded requests again as if policies had been changed, and lists the decisions that flip. */

import { readFileSync } from 'node:fs';
import { parseProposal } from '#access/past/parse-proposal.ts';
import { ProposalError, type ProposedChange, proposal, type Removal } from '#access/past/proposal.ts';
import { type Flip, type ReplayCounts, replayWindow } from '#access/past/replay-window.ts';
import { isAccountId } from '#core/arn.ts';
import { counted } from '#core/counted.ts';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { DATA, DATABASE, type Subcommand } from './command.ts';
import { accountsIn, DAYS, daysOf, lastDays, numberOf } from './policy-window.ts';
import { printable } from './printable.ts';
import { readDatabase } from './read-database.ts';

/** Lines of `belfry policy --help` for this command. */
export const REPLAY_USAGE = `belfry policy replay --change FILE [--days N]     decide recorded requests again as if policies had been changed

  --change FILE     the proposed changes as JSON, described in docs/replay.md; without it, the policies as they were
  --days N          days before now whose requests are decided (default: 30)
  --account-id ID   only the records of this account
  --examples N      flipped requests that are printed for each caller and action (default: 3)
  --json            print the flipped requests as JSON lines
  --data FOLDER     the data folder of the server, which may run (default: BELFRY_DATA, or ./data)
  --database URL    the database, if it is not in the data folder (default: BELFRY_DATABASE)
  The exit status is 1 if a decision flips.`;

const CHANGE: Flag = { flag: '--change', valid: 'a file' };
const ACCOUNT: Flag = { flag: '--account-id', valid: 'the ID of an account' };
const EXAMPLES: Flag = { flag: '--examples', valid: 'a number from 0 to 99999' };
const JSON_LINES: Flag = { flag: '--json' };

export const REPLAY: Subcommand = {
  flags: [CHANGE, DAYS, ACCOUNT, EXAMPLES, JSON_LINES, DATA, DATABASE],
  async run(parsed) {
    const changes = changesOf(parsed);
    const days = daysOf(parsed);
    const examples = numberOf(parsed, EXAMPLES, 3);
    const accountId = parsed.values.get(ACCOUNT.flag);
    if (accountId !== undefined && !isAccountId(accountId)) throw new FlagError(`${ACCOUNT.flag} must be ${ACCOUNT.valid}`);
    const printer = parsed.values.has(JSON_LINES.flag) ? jsonPrinter() : textPrinter(examples);
    const proposed = proposal(changes);
    const counts = await readDatabase(parsed, async ({ sql }) =>
      replayWindow(sql, await accountsIn(sql), lastDays(days, accountId), proposed, printer.flip),
    );
    const unmatched = counts.decided === 0 ? undefined : proposed.unmatched();
    if (unmatched?.kind === 'resource-policy') throw new Error(`no recorded decision is about '${unmatched.target}'`);
    if (unmatched !== undefined) throw new Error(`a change names what does not exist: ${JSON.stringify(unmatched)}`);
    const unneeded = counts.decided === 0 ? undefined : proposed.unneeded();
    if (unneeded !== undefined) throw new Error(unneededMessage(unneeded));
    printer.end(counts);
    return counts.flipped === 0 ? 0 : 1;
  },
};

function unneededMessage(change: Removal): string {
  const { kind, target } = change;
  if (kind === 'boundary') return `'${target}' had no permissions boundary in these days`;
  if (kind === 'inline') return `'${target}' had no inline policy '${change.name}' in these days`;
  return `'${change.policy}' was not attached to '${target}' in these days`;
}

function changesOf({ values }: ParsedFlags): readonly ProposedChange[] {
  const file = values.get(CHANGE.flag);
  if (file === undefined) return [];
  try {
    return parseProposal(readFileSync(file, 'utf8'), authorizationReference());
  } catch (error) {
    if (error instanceof ProposalError || (error as NodeJS.ErrnoException).code !== undefined)
      throw new FlagError(`'${file}': ${(error as Error).message}`);
    throw error;
  }
}

/** Prints flips and counts. */
interface Printer {
  readonly flip: (flip: Flip) => void;
  readonly end: (counts: ReplayCounts) => void;
}

function jsonPrinter(): Printer {
  return {
    flip({ facts, principal, context, allowed, parts = context.permissions }) {
      const { eventId, eventName, at, accountId } = facts;
      const permissions = parts.map(({ action, resources }) => ({ action, resources }));
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
    flip({ facts, principal, context, allowed, parts = context.permissions }) {
      const key = `${allowed ? 'denied → allowed' : 'allowed → denied'}  ${parts[0]?.action ?? facts.eventName}  ${principal.arn}`;
      const group = groups.get(key) ?? { count: 0, examples: [] };
      groups.set(key, group);
      group.count++;
      const resource = parts.flatMap(({ resources }) => resources)[0] ?? '*';
      if (group.examples.length < examplesMax) group.examples.push(`${new Date(facts.at).toISOString()} ${facts.eventId} on ${resource}`);
    },
    end({ records, decided, flipped, unknown }) {
      for (const [key, { count, examples }] of [...groups].sort(([, a], [, b]) => b.count - a.count)) {
        console.log(`${printable(key)}: ${count}`);
        for (const example of examples) console.log(`    ${printable(example)}`);
      }
      if (groups.size > 0) console.log("'belfry explain --event-id ID' explains one of these requests, whose ID is after its time");
      console.log(
        `${counted(records, 'record')}, ${decided} decided again, ${counted(flipped, 'decision')} ${flipped === 1 ? 'flips' : 'flip'}`,
      );
      for (const [reason, count] of unknown) console.log(`    ${count} not decided again: ${reason}`);
    },
  };
}
